use super::Failure;

/// `celosia health`.
#[derive(clap::Args, Debug)]
#[group(id = "where", required = true, multiple = false, args = ["url", "config"])]
pub(crate) struct Args {
    /// URL to ask: of any surface, or `unix:/path`.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Configuration of the node to ask.
    #[arg(long, visible_alias = "configfile", value_name = "FILE")]
    pub config: Option<std::path::PathBuf>,
}

/// Exit code 0 if the node answers, 1 if not.
pub(super) fn run(_args: Args) -> Result<u8, Failure> {
    Err(Failure::plain(2, "`celosia health` is not in this build"))
}

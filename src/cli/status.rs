use super::Failure;

/// `celosia status`.
#[derive(clap::Args, Debug)]
#[group(id = "where", required = true, multiple = false, args = ["admin", "config"])]
pub(crate) struct Args {
    /// URL of the admin surface.
    #[arg(long, value_name = "URL")]
    pub admin: Option<String>,
    /// Configuration that names the admin surface.
    #[arg(long, visible_alias = "configfile", value_name = "FILE")]
    pub config: Option<std::path::PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(_args: Args) -> Result<(), Failure> {
    Err(Failure::plain(2, "`celosia status` is not in this build"))
}

use std::path::PathBuf;

use super::Failure;

/// `celosia bench`: a closed loop against a running node, or a network of its own.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Node surface to drive: `unix:/path` or a URL. Absent: a network of members on this machine.
    #[arg(long, value_name = "ADDRESS")]
    pub node: Option<String>,
    /// Members of the network of its own.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub members: u8,
    /// Clients that send at once; several values make several runs.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,16,64")]
    pub clients: Vec<usize>,
    /// Bytes of a payload.
    #[arg(long, value_name = "BYTES", default_value_t = 2048)]
    pub size: usize,
    /// Seconds of a run.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub seconds: u64,
    /// Recipients of a payload, base64, with `--node`.
    #[arg(long, value_name = "KEY,…", value_delimiter = ',')]
    pub to: Vec<String>,
    /// Keep the data in this folder.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(_args: Args) -> Result<(), Failure> {
    Err(Failure::plain(2, "`celosia bench` is not in this build"))
}

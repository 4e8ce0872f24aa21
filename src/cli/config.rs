use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;

use super::source::parse_overrides;
use super::{ConfigSource, Failure};
use crate::config::{Format, Loaded, load_text};

/// The commented example, which is the manual too.
const EXAMPLE: &str = include_str!("../../config/celosia.toml");

/// `celosia config`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a configuration and the files that it names, start nothing.
    Check(FileArgs),
    /// Print a Tessera configuration as Celosia's TOML.
    Convert {
        #[command(flatten)]
        file: FileArgs,
        /// Also print private keys and passwords that stand in the file itself.
        #[arg(long)]
        with_secrets: bool,
    },
    /// Print a commented configuration with every field.
    Schema,
}

#[derive(clap::Args, Debug)]
struct FileArgs {
    /// Celosia's TOML, or a Tessera JSON file.
    file: PathBuf,
    /// Set a field, whatever the file says.
    #[arg(short = 'o', long = "override", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Check(file) => check(file),
        Command::Convert { file, with_secrets } => convert(&file, with_secrets),
        Command::Schema => print(EXAMPLE),
    }
}

fn check(file: FileArgs) -> Result<(), Failure> {
    let name = file.file.display().to_string();
    let source = ConfigSource { file: file.file, overrides: file.overrides };
    let Loaded { config, format, warnings } = source.load()?;
    let kind = match format {
        Format::Celosia => "Celosia",
        Format::Tessera => "Tessera",
    };
    let plural = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let counts = [
        (config.servers.len(), "listener"),
        (config.keys.len(), "key"),
        (config.peers.urls.len(), "peer"),
        (warnings.len(), "warning"),
    ];
    let counts = counts.map(|(count, noun)| plural(count, noun)).join(", ");
    print(&format!("{name}: a {kind} configuration that can be run ({counts})\n"))
}

/// The files that it names need not be on this machine.
fn convert(file: &FileArgs, with_secrets: bool) -> Result<(), Failure> {
    let name = file.file.display().to_string();
    let text =
        std::fs::read_to_string(&file.file).map_err(|error| Failure::plain(1, format!("{name}: cannot be read: {error}")))?;
    let loaded = load_text(&name, &text, &parse_overrides(&file.overrides)?)?;
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    if loaded.config.has_inline_secrets() && !with_secrets {
        return Err(Failure::plain(
            2,
            format!("{name} holds private keys or passwords, which would be printed: say so with --with-secrets"),
        ));
    }
    let toml = loaded.config.to_toml().map_err(|error| Failure::plain(2, format!("{name}: {error}")))?;
    print(&toml)
}

fn print(text: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::plain(2, error))
}

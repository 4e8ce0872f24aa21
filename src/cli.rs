//! The command line: Celosia's own commands, and Tessera's forms of them, so that service units and scripts keep working.
//!
//! Exit codes are Tessera's: 0 done, 1 a configuration that is not taken, 2 any other failure, 3 a configuration that is not JSON, 4 a wrong command line.

/// `println!` for people who close the pipe: `| head` is no panic, the program ends.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        if writeln!(std::io::stdout(), $($text)*).is_err() {
            std::process::exit(0);
        }
    }};
}

/// The same without an end of line.
macro_rules! say_part {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        if write!(std::io::stdout(), $($text)*).is_err() {
            std::process::exit(0);
        }
    }};
}

mod acts;
mod admin;
mod auditor;
mod bench;
mod case;
mod certificate;
mod config;
mod demo;
mod disclosure;
mod doc;
mod enclave;
mod erase;
mod failure;
mod fsck;
mod governance;
mod health;
mod hold;
mod http;
mod journal;
mod keygen;
mod keyupdate;
mod lock;
mod network;
mod officer;
mod prompt;
mod purge;
mod receipt;
mod recover;
mod rights;
mod root;
mod run;
mod scan;
mod source;
mod status;
mod supervisor;
mod tessera;
pub mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use failure::Failure;
pub use source::ConfigSource;

/// Exit code of a command line that does not parse, as Tessera's.
const USAGE: u8 = 4;

/// Celosia: a private transaction manager for GoQuorum, a drop-in replacement for Tessera.
#[derive(Debug, Parser)]
#[command(name = "celosia", version, propagate_version = false, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node. `celosia -configfile FILE` is the same.
    Run(run::Args),
    /// Bring up a network of members on this machine and show what it does.
    Demo(demo::Args),
    /// Show keys, peers, store and rates of a running node.
    Status(status::Args),
    /// Put, get, share and erase documents: payloads that no contract sees.
    Doc(Box<doc::Args>),
    /// Exit with 0 if a running node answers, for health checks.
    Health(health::Args),
    /// Dangerous acts: one person asks, another approves.
    Acts(acts::Args),
    /// Check or convert a configuration.
    Config(config::Args),
    /// Make key pairs in Tessera's formats.
    Keygen(keygen::Args),
    /// Change the password or the locking of a private key file.
    Keyupdate(keyupdate::Args),
    /// Write, sign, check and publish the documents that govern a network.
    Governance(Box<governance::Args>),
    /// Erase payloads and documents at every holder: ask, decide, refuse, follow.
    Erase(Box<erase::Args>),
    /// For auditors without a node: ask for payloads, collect what officers and holder give, open and verify it.
    Auditor(Box<auditor::Args>),
    /// Who asked to see what, on whose approval: list, show, verify from files, revoke.
    Disclosure(Box<disclosure::Args>),
    /// Holds: what stands before an erasure. Place, show, release.
    Hold(Box<hold::Args>),
    /// Cases: violations, exceptions, grievances and reviews, handled by people.
    Case(Box<case::Args>),
    /// Make data unreadable without destroying it yet: `hold place --kind block`.
    Block(Box<hold::PlaceArgs>),
    /// Show erasures whose answer is overdue (GDPR art. 12(3)); exit code 1 if there are any.
    Overdue(erase::OverdueArgs),
    /// Verify the certificate of an erasure, and show it as a page.
    Certificate(certificate::Args),
    /// Run the enclave as a process of its own.
    Enclave(enclave::Args),
    /// Read a node's journal, or go on after a node was put back.
    Journal(journal::Args),
    /// Hold a committee's key together: an officer's folder, key generation, handover.
    Officer(Box<officer::Args>),
    /// Get back, through the committee, what this member lost with its keys or its disk.
    Recover(Box<recover::Args>),
    /// Show or verify the receipt of a payload.
    Receipt(receipt::Args),
    /// Take what was erased out of the files of a running node's store.
    Purge(purge::Args),
    /// Export what is kept about a person.
    Subject(Box<rights::SubjectArgs>),
    /// Export the records of processing activities.
    Ropa(Box<rights::RopaArgs>),
    /// Show what the loss of a key, a disk or a member exposes.
    BreachRadius(Box<rights::RadiusArgs>),
    /// Show or declare class, purpose, basis, retention and subjects of a payload or document.
    Tag(Box<rights::TagArgs>),
    /// Show what is due to be erased.
    Retention(Box<rights::RetentionArgs>),
    /// Show or rotate the root of the key trees.
    Root(root::Args),
    /// Check every record of a store.
    Fsck(fsck::Args),
    /// Search files, backups and memory images for what a payload leaves behind.
    Scan(Box<scan::Args>),
    /// Measure a network or a socket.
    Bench(bench::Args),
    /// Supervise: stop and lift, on the supervisor's own node.
    Supervisor(Box<supervisor::Args>),
    /// Verify a transparency log from files alone.
    Verify(Box<verify::Args>),
    /// Print the version.
    Version,
}

/// Runs the program with its arguments, the program's name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Cli::try_parse_from(tessera::rewrite(arguments.into_iter().collect())) {
        Ok(cli) => match dispatch(cli.command) {
            Ok(exit) => ExitCode::from(exit),
            Err(failure) => {
                eprintln!("{failure}");
                ExitCode::from(failure.exit)
            }
        },
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { USAGE } else { 0 })
        }
    }
}

fn dispatch(command: Command) -> Result<u8, Failure> {
    match command {
        Command::Run(args) => return run::run(args),
        // 1 is what container runtimes call unhealthy.
        Command::Health(args) => health::run(&args).map_err(|error| Failure::from(error).with_exit(1))?,
        Command::Demo(args) => demo::run(&args)?,
        Command::Doc(args) => doc::run(&args)?,
        Command::Status(args) => status::run(&args)?,
        Command::Acts(args) => acts::run(&args)?,
        Command::Config(args) => config::run(args)?,
        Command::Keygen(args) => keygen::run(args)?,
        Command::Keyupdate(args) => keyupdate::run(&args)?,
        Command::Governance(args) => governance::run(*args)?,
        Command::Erase(args) => erase::run(&args)?,
        Command::Overdue(args) => return Ok(u8::from(erase::overdue(&args)?)),
        Command::Certificate(args) => certificate::run(&args)?,
        Command::Enclave(args) => enclave::run(&args)?,
        Command::Journal(args) => journal::run(&args)?,
        Command::Officer(args) => officer::run(&args)?,
        Command::Receipt(args) => receipt::run(&args)?,
        Command::Recover(args) => recover::run(&args)?,
        Command::Purge(args) => purge::run(&args)?,
        Command::Auditor(args) => auditor::run(&args)?,
        Command::Disclosure(args) => disclosure::run(&args)?,
        Command::Hold(args) => hold::run(&args)?,
        Command::Supervisor(args) => return supervisor::run(*args),
        Command::Case(args) => case::run(&args)?,
        Command::Block(args) => hold::block(&args)?,
        Command::Subject(args) => rights::subject(&args)?,
        Command::Ropa(args) => rights::ropa(&args)?,
        Command::BreachRadius(args) => rights::radius(&args)?,
        Command::Tag(args) => rights::tag(&args)?,
        Command::Retention(args) => rights::retention(&args)?,
        Command::Root(args) => root::run(&args)?,
        Command::Fsck(args) => return fsck::run(args),
        Command::Scan(args) => return scan::run(*args),
        Command::Bench(args) => bench::run(&args)?,
        Command::Verify(args) => return Ok(verify::run(&args)),
        Command::Version => println!("{}", env!("CARGO_PKG_VERSION")),
    }
    Ok(0)
}

/// Runs a future to its end on a runtime of its own.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output, Failure> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().on_thread_park(crate::enclave::stack::sweep_if_wanted).build();
    let runtime = runtime.map_err(|error| Failure::plain(2, format!("the runtime does not start: {error}")))?;
    Ok(runtime.block_on(future))
}

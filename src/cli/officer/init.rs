use std::path::PathBuf;

use super::coded;
use crate::cli::Failure;
use crate::cli::lock::Lock;
use crate::officer::{Folder, Token};

/// `celosia officer init`. Prints the card, to hand to the others.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The folder to make.
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// The officer's name, for people.
    #[arg(long)]
    name: String,
    /// The legal entity that the officer answers to. As many entities as officers are needed to open.
    #[arg(long)]
    entity: String,
    #[command(flatten)]
    lock: Lock,
    /// PKCS #11 module of the token that holds the folder's root; the PIN is in --pin-file, else in CELOSIA_OFFICER_PIN.
    #[arg(long, value_name = "FILE", requires = "token")]
    module: Option<PathBuf>,
    /// Label of the token.
    #[arg(long, value_name = "LABEL", requires = "module")]
    token: Option<String>,
    /// File with the PIN, of mode 0600.
    #[arg(long, value_name = "FILE", requires = "module")]
    pin_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    // With a token, too: it takes both.
    let (options, password) = args.lock.read("the officer's key")?;
    let token = match (&args.module, &args.token) {
        (Some(module), Some(token)) => {
            Some(Token { module: module.clone(), token: token.clone(), pin_file: args.pin_file.clone() })
        }
        _ => None,
    };
    let card = Folder::init(&args.folder, &args.name, &args.entity, &password, &options, token.as_ref()).map_err(coded)?;
    say_part!("{}", card.to_toml());
    eprintln!("the card is {}: hand it to the others", args.folder.join("officer.pub").display());
    eprintln!("keep a copy of the folder off this machine; a new one after each ceremony, and none from before it");
    Ok(())
}

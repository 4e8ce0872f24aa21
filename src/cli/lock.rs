//! How a new key is locked that is never kept unlocked: by a password from a file, else asked twice.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{Failure, keygen, keyupdate, prompt};
use crate::enclave::keyfile::ArgonOptions;

/// Options of the commands that make such a key.
#[derive(clap::Args, Debug)]
pub(super) struct Lock {
    /// File whose first line is the password; asked twice if absent. It cannot be blank.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// JSON file with the options of argon2: variant, memory (KiB), iterations, parallelism.
    #[arg(long, value_name = "FILE")]
    argonconfig: Option<PathBuf>,
}

impl Lock {
    /// The options and the password, for a key of such a name. Whoever calls refuses an empty password, with a code of its own.
    pub(super) fn read(&self, of: &str) -> Result<(ArgonOptions, Zeroizing<String>), Failure> {
        let options = keygen::argon_options(self.argonconfig.as_deref())?;
        let password = match &self.password_file {
            Some(file) => keyupdate::first_line(file)?,
            None => prompt::needed_password(of)?,
        };
        Ok((options, password))
    }
}

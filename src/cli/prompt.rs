//! Questions to whoever starts a command: at a terminal without echo, else one line of standard input each.

use std::io::{self, BufRead, IsTerminal, Write};

use zeroize::Zeroizing;

use super::Failure;

/// Attempts to type a new password twice alike.
const ATTEMPTS: u32 = 3;

/// Asks for a new password twice. Empty: the key stays unlocked. The two lines are Tessera's: tools answer them.
pub(super) fn new_password() -> Result<Zeroizing<String>, Failure> {
    twice(
        "Enter a password if you want to lock the private key or leave blank",
        "Please re-enter the password (or lack of) to confirm",
    )
}

fn twice(question: &str, confirm: &str) -> Result<Zeroizing<String>, Failure> {
    for _ in 0..ATTEMPTS {
        let (first, again) = (hidden_line(question)?, hidden_line(confirm)?);
        if *first == *again {
            return Ok(first);
        }
        eprintln!("The two are not the same, try again");
    }
    Err(Failure::plain(2, "no password was typed twice alike"))
}

/// Asks twice for the password of what is never kept unlocked. The caller refuses an empty one, with its code.
pub(super) fn needed_password(of: &str) -> Result<Zeroizing<String>, Failure> {
    twice(&format!("Enter a password for {of}; it cannot be blank"), "Please re-enter the password to confirm")
}

/// Asks for the password of a locked key.
pub(super) fn password_of(file: &str) -> Result<Zeroizing<String>, Failure> {
    hidden_line(&format!("Password of {file}"))
}

/// Prints a question and reads one line. The end of the input counts as an empty line.
fn hidden_line(question: &str) -> Result<Zeroizing<String>, Failure> {
    let failed = |error: io::Error| Failure::plain(2, format!("no answer can be read: {error}"));
    let mut out = io::stdout();
    writeln!(out, "{question}").and_then(|()| out.flush()).map_err(failed)?;
    if io::stdin().is_terminal() {
        return rpassword::read_password().map(Zeroizing::new).map_err(failed);
    }
    let mut line = Zeroizing::new(String::with_capacity(256));
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    let end = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(end);
    Ok(line)
}

use std::fmt::Write;
use std::path::Path;

use zeroize::Zeroizing;

use super::{Config, KeyEntry, SecretText};

impl Config {
    /// Whether keys or passwords stand in the configuration itself.
    pub fn has_inline_secrets(&self) -> bool {
        self.keys.iter().any(|key| key.private_key.is_some() || key.private_key_json.is_some() || key.password.is_some())
    }

    /// The configuration as TOML that loads to an equal one, inline secrets included: for the operator who asked, never for a log.
    ///
    /// # Errors
    /// A path that is not UTF-8.
    pub fn to_toml(&self) -> Result<Zeroizing<String>, toml::ser::Error> {
        let mut text = Zeroizing::new(toml::to_string(self)?);
        for key in &self.keys {
            text.push_str(&write_key(key));
        }
        Ok(text)
    }
}

fn write_key(key: &KeyEntry) -> Zeroizing<String> {
    let mut text = Zeroizing::new("\n[[keys]]\n".to_owned());
    let path = |path: &Option<std::path::PathBuf>| {
        path.as_deref().map(Path::to_string_lossy).map(|path| Zeroizing::new(path.into_owned()))
    };
    let secret = |secret: &Option<SecretText>| secret.as_ref().map(|secret| secret.expose().clone());
    let fields = [
        ("private-key-file", path(&key.private_key_file)),
        ("private-key", secret(&key.private_key)),
        ("private-key-json", secret(&key.private_key_json)),
        ("public-key-file", path(&key.public_key_file)),
        ("public-key", key.public_key.map(|address| Zeroizing::new(address.to_string()))),
        ("password-file", path(&key.password_file)),
        ("password", secret(&key.password)),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            // A string is quoted by the TOML writer; writing to a string cannot fail.
            let _ = writeln!(text, "{name} = {}", toml::Value::String(value.to_string()));
        }
    }
    if let Some(line) = key.password_line {
        let _ = writeln!(text, "password-line = {line}");
    }
    text
}

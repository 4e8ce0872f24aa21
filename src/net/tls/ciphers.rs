//! Tessera's `excludeCipherSuites`: names as Java writes them, or simple patterns.

use rustls::SupportedCipherSuite;

use super::TlsError;

/// Takes excluded suites off the list. A name that no suite has is no error: Java knows many that are not spoken here at all.
pub(super) fn exclude(suites: &mut Vec<SupportedCipherSuite>, patterns: &[String]) -> Result<(), TlsError> {
    let mut excluded = Vec::new();
    for pattern in patterns {
        excluded.extend(expand(pattern).ok_or_else(|| TlsError::CipherPattern(pattern.clone()))?);
    }
    suites.retain(|suite| {
        let name = java_name(suite);
        !excluded.iter().any(|pattern| matches(pattern, &name))
    });
    if suites.is_empty() { Err(TlsError::NoCiphers) } else { Ok(()) }
}

/// `TLS13_AES_256_GCM_SHA384` here is `TLS_AES_256_GCM_SHA384` in RFC 8446 and Java.
fn java_name(suite: &SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite()).replace("TLS13_", "TLS_")
}

/// One literal-and-`.*` pattern for each way through the alternatives; nothing if the pattern holds more than that.
fn expand(pattern: &str) -> Option<Vec<String>> {
    let pattern = pattern.trim().trim_start_matches('^').trim_end_matches('$');
    let Some((before, rest)) = pattern.split_once('(') else {
        let literal = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let plain = !pattern.is_empty() && pattern.split(".*").all(|part| part.chars().all(literal));
        return plain.then(|| vec![pattern.to_owned()]);
    };
    let (inside, after) = rest.split_once(')')?;
    let ways = inside.split('|').map(|way| expand(&format!("{before}{way}{after}")));
    Some(ways.collect::<Option<Vec<_>>>()?.concat())
}

/// Matches the whole name; `.*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once(".*") else { return pattern == name };
    let Some(name) = name.strip_prefix(first) else { return false };
    (0..=name.len()).any(|start| name.get(start..).is_some_and(|tail| matches(rest, tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(patterns: &[&str]) -> Result<Vec<String>, TlsError> {
        let mut suites = rustls::crypto::aws_lc_rs::default_provider().cipher_suites;
        let patterns: Vec<_> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        exclude(&mut suites, &patterns)?;
        Ok(suites.iter().map(java_name).collect())
    }

    #[test]
    fn names_and_jettys_patterns_exclude() {
        let all = left(&[]).unwrap();
        assert_eq!(left(&["^.*_(MD5|SHA|SHA1)$", "^TLS_RSA_.*$", "SSL_RSA_WITH_DES_CBC_SHA"]).unwrap(), all);
        let without = left(&["TLS_AES_128_GCM_SHA256", "^.*_CHACHA20_.*$"]).unwrap();
        assert!(without.iter().all(|name| !name.contains("CHACHA20") && name != "TLS_AES_128_GCM_SHA256"));
        assert!(without.contains(&"TLS_AES_256_GCM_SHA384".to_owned()));
    }

    #[test]
    fn nothing_left_and_strange_patterns_are_errors() {
        assert!(matches!(left(&[".*"]), Err(TlsError::NoCiphers)));
        for strange in ["TLS_[A-Z]+", "TLS_(AES", "", "a|b"] {
            assert!(matches!(left(&[strange]), Err(TlsError::CipherPattern(_))), "{strange}");
        }
    }
}

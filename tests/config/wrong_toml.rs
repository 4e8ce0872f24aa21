//! Every kind of mistake in Celosia's own format: code, place, and what was expected.

use celosia::config::{Override, load_text};

use crate::bench_of_files::Bench;

const GOOD: &str = r#"data-dir = "data"
[[server]]
surface = "node"
address = "unix:/tmp/tm.ipc"
[[server]]
surface = "peer"
address = "http://127.0.0.1:9001"
[[keys]]
private-key-file = "n1.key"
"#;

const TLS: &str = "[server.tls]\ncert = \"c\"\nkey = \"k\"";

fn error_of(text: &str) -> String {
    load_text("c.toml", text, &[]).map_or_else(|rejected| rejected.to_string(), |_| "taken".to_owned())
}

#[test]
fn the_good_one_is_good() {
    assert!(load_text("c.toml", GOOD, &[]).unwrap().warnings.is_empty());
}

/// Each case replaces a part of the good file.
#[test]
fn wrong_fields() {
    let address = "address = \"http://127.0.0.1:9001\"";
    let unix = "address = \"unix:/tmp/tm.ipc\"";
    let key = "private-key-file = \"n1.key\"";
    let data = "data-dir = \"data\"";
    let tls = |https: &str, more: &str| format!("address = \"{https}://127.0.0.1:9001\"\n{TLS}\n{more}");
    let table = |name: &str, line: &str| format!("{key}\n[{name}]\n{line}");
    let mut wrong = Vec::new();
    for (from, to, message) in [
        // Syntax.
        (data, "data-dir = ".to_owned(), "error[CEL1002]: c.toml:1:12: not valid TOML: "),
        (data, "data-dir = \"data\"\ndata-dir = \"b\"".to_owned(), "error[CEL1002]: c.toml:2:1: not valid TOML: duplicate key"),
        // Unknown fields and wrong types.
        (
            data,
            "data-dri = \"data\"".to_owned(),
            "error[CEL1004]: c.toml:1:1: data-dri: unknown field `data-dri`, expected one of `data-dir`",
        ),
        (key, format!("{key}\nport = 1"), "error[CEL1004]: c.toml:10:1: keys[0].port: unknown field `port`"),
        (
            data,
            "data-dir = 5".to_owned(),
            "error[CEL1005]: c.toml:1:1: data-dir: invalid type: integer `5`, expected path string",
        ),
        (data, "data-dir = \"\"".to_owned(), "error[CEL1005]: c.toml:1:1: data-dir: expected a folder"),
        (
            "surface = \"peer\"",
            "surface = \"p2p\"".to_owned(),
            "error[CEL1005]: c.toml:6:1: server[1].surface: unknown variant `p2p`, expected one of `admin`",
        ),
        ("surface = \"peer\"\n", String::new(), "error[CEL1006]: c.toml:5:1: server[1]: missing field `surface`"),
        (
            address,
            "address = \"127.0.0.1:9001\"".to_owned(),
            "error[CEL1005]: c.toml:7:1: server[1].address: expected \"unix:/path\"",
        ),
        (address, format!("{address}\nbind = \"9001\""), "error[CEL1005]: c.toml:8:1: server[1].bind: expected \"host:port\""),
        (
            unix,
            format!("{unix}\nsocket-mode = \"0999\""),
            "error[CEL1005]: c.toml:5:1: server[0].socket-mode: expected permission bits in octal",
        ),
        (unix, format!("{unix}\nsocket-mode = \"07777\""), "socket-mode: expected permission bits in octal"),
        (
            unix,
            format!("{unix}\nsocket-owner = \"a b\""),
            "error[CEL1005]: c.toml:5:1: server[0].socket-owner: expected \"user\"",
        ),
        (
            key,
            table("peers", "poll-interval = 5"),
            "error[CEL1005]: c.toml:11:1: peers.poll-interval: expected a duration such as",
        ),
        (key, table("peers", "poll-interval = \"5 days\""), "peers.poll-interval: expected a duration such as"),
        (
            key,
            table("peers", "poll-interval = \"1ms\""),
            "error[CEL1005]: c.toml:11:1: peers.poll-interval: expected at least 100ms",
        ),
        (key, table("peers", "budget = \"0s\""), "error[CEL1005]: c.toml:11:1: peers.budget: expected more than 0s"),
        (
            key,
            table("peers", "urls = [\"http://a\", \"b\"]"),
            "error[CEL1005]: c.toml:11:21: peers.urls[1]: not an absolute http:// or https:// URL",
        ),
        (key, table("peers", "urls = \"http://a\""), "error[CEL1005]: c.toml:11:1: peers.urls: invalid type"),
        (key, table("peers", "discovery = \"yes\""), "error[CEL1005]: c.toml:11:1: peers.discovery: invalid type"),
        (key, table("limits", "max-body = \"1 mile\""), "error[CEL1005]: c.toml:11:1: limits.max-body: expected a size in bytes"),
        (key, table("limits", "max-body = 0"), "error[CEL1005]: c.toml:11:1: limits.max-body: expected more than 0"),
        (key, table("limits", "max-connections = 0"), "limits.max-connections: expected more than 0"),
        (key, table("limits", "queue = -1"), "error[CEL1005]: c.toml:11:1: limits.queue: invalid value"),
        (key, table("log", "format = \"xml\""), "error[CEL1005]: c.toml:11:1: log.format: unknown variant `xml`"),
        (key, table("log", "level = \"=loud=\""), "error[CEL1005]: c.toml:11:1: log.level: expected error, warn, info"),
        (
            data,
            format!("{data}\nalways-send-to = [\"AAAA\"]"),
            "error[CEL1005]: c.toml:2:19: always-send-to[0]: decodes to 3 bytes where 32 are needed",
        ),
        (data, format!("{data}\nalways-send-to = [\"?\"]"), "always-send-to[0]: not valid base64"),
        // Fields that must be there.
        (data, String::new(), "error[CEL1006]: c.toml: data-dir: no folder to keep payloads"),
        (address, String::new(), "error[CEL1006]: c.toml:5:1: server[1]: missing field `address`"),
        (
            "surface = \"peer\"",
            "surface = \"admin\"".to_owned(),
            "error[CEL1006]: c.toml:2:3: server: no listener of the peer surface",
        ),
        (GOOD, format!("{data}\n[[keys]]\n{key}"), "error[CEL1006]: c.toml: server: no listener"),
        (
            "[[keys]]\nprivate-key-file = \"n1.key\"\n",
            String::new(),
            "error[CEL1006]: c.toml: keys: no key pair: `celosia keygen",
        ),
        (key, String::new(), "error[CEL1006]: c.toml:8:1: keys[0]: no private key"),
        (
            key,
            format!("{key}\npassword-line = 1"),
            "error[CEL1006]: c.toml:10:1: keys[0].password-line: names a line of password-file",
        ),
        (
            key,
            format!("{key}\npassword-file = \"p\"\npassword-line = 0"),
            "error[CEL1005]: c.toml:11:1: keys[0].password-line: lines count from 1",
        ),
        (
            address,
            tls("https", ""),
            "error[CEL1006]: c.toml:8:9: server[1].tls.ca: this trust mode needs certificates of authorities",
        ),
        (
            address,
            tls("https", "trust-mode = \"tofu\""),
            "server[1].tls.known-file: this trust mode needs a file of known certificates",
        ),
        (address, tls("https", "trust-mode = \"whitelist\""), "error[CEL1006]: c.toml:8:9: server[1].tls.known-file"),
        (
            address,
            tls("https", "trust-mode = \"all\""),
            "error[CEL1005]: c.toml:11:1: server[1].tls.trust-mode: unknown variant `all`",
        ),
        (
            key,
            table("peers.tls", "cert = \"c\"\ntrust-mode = \"none\""),
            "error[CEL1006]: c.toml:10:8: peers.tls: a certificate and its private key go together",
        ),
        (key, table("peers.tls", ""), "peers.tls.ca: this trust mode needs"),
        // Fields that contradict each other.
        (
            data,
            format!("{data}\ntemporary-data = true"),
            "error[CEL1007]: c.toml:1:1: data-dir: a folder is named and temporary-data is true",
        ),
        (
            unix,
            format!("{unix}\nbind = \"0.0.0.0:1\""),
            "error[CEL1007]: c.toml:5:1: server[0].bind: has no meaning on a Unix socket",
        ),
        (
            unix,
            format!("{unix}\n[server.cors]\norigins = []"),
            "error[CEL1007]: c.toml:5:9: server[0].cors: has no meaning on a Unix socket",
        ),
        (
            address,
            format!("{address}\nsocket-mode = \"0600\""),
            "error[CEL1007]: c.toml:8:1: server[1].socket-mode: has a meaning on a Unix socket only",
        ),
        (
            address,
            tls("http", "trust-mode = \"none\""),
            "error[CEL1007]: c.toml:7:1: server[1].address: this listener speaks TLS",
        ),
        (
            address,
            "address = \"unix:/tmp/p\"".to_owned(),
            "error[CEL1005]: c.toml:7:1: server[1].address: members cannot reach a Unix socket",
        ),
        (
            unix,
            "address = \"http://127.0.0.1:9001\"".to_owned(),
            "error[CEL1007]: c.toml:5:1: server[1]: listens where listener 0",
        ),
        (
            "surface = \"node\"\naddress = \"unix:/tmp/tm.ipc\"",
            "surface = \"peer\"\naddress = \"http://a:1\"".to_owned(),
            "error[CEL1007]: c.toml:2:3: server: more than one listener of the peer surface",
        ),
        (key, format!("{key}\nprivate-key = \"x\""), "error[CEL1007]: c.toml:8:1: keys[0]: more than one private key"),
        (
            key,
            format!("{key}\npassword = \"x\"\npassword-file = \"p\""),
            "error[CEL1007]: c.toml:10:1: keys[0].password: the password is named twice",
        ),
        (key, format!("{key}\npassword = 5"), "error[CEL1005]: c.toml:10:1: keys[0].password: expected a string"),
        (
            key,
            format!("{key}\npublic-key-file = \"p\"\npublic-key = \"BULeR8JyUWhiuuCMU/HLA0Q5pzkYT+cHII3ZKBey3Bo=\""),
            "error[CEL1007]: c.toml:11:1: keys[0].public-key: the public key is named twice",
        ),
        (key, table("[resident-groups]", "name = \"\""), "error[CEL1005]: c.toml:11:1: resident-groups[0].name: expected a name"),
        (
            key,
            format!("{key}\n[[resident-groups]]\nname = \"a\"\n[[resident-groups]]\nname = \"a\""),
            "error[CEL1007]: c.toml:13:1: resident-groups[1].name: another group has this name",
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let error = error_of(&GOOD.replacen(from, &to, 1));
        if !error.contains(message) {
            wrong.push(format!("\n{to}\n  says   {error}\n  wanted {message}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = GOOD.replace("data-dir = \"data\"", "").replace("private-key-file = \"n1.key\"", "");
    let errors = load_text("c.toml", &text, &[]).unwrap_err().errors;
    assert_eq!(errors.len(), 2, "{errors:?}");
}

#[test]
fn overrides() {
    for (setter, result) in [
        ("data-dir=/elsewhere", ""),
        ("celosia.dataDir=/elsewhere", ""),
        ("server[1].address=http://10.0.0.1:9001", ""),
        ("peers.urls=http://10.0.0.2:9001", "error[CEL1005]: override: peers.urls: invalid type"),
        ("peers.urls[0]=http://10.0.0.2:9001", ""),
        ("peers.discovery=false", ""),
        ("log.format=json", ""),
        ("keys[1].private-key-file=n2.key", ""),
        (
            "keys[3].private-key-file=n2.key",
            "error[CEL1009]: override: keys[3].private-key-file: the list has 1 elements; the next one is [1]",
        ),
        ("data-dir.x=1", "error[CEL1009]: override: data-dir.x: there is no \"x\" in something that is not a table"),
        ("peers.url=x", "error[CEL1004]: override: peers.url: unknown field `url`"),
        ("server[0].surface=x", "error[CEL1005]: override: server[0].surface: unknown variant `x`"),
    ] {
        let overrides = [Override::parse(setter).unwrap()];
        let said = load_text("c.toml", GOOD, &overrides).map_or_else(|rejected| rejected.to_string(), |_| String::new());
        assert!(if result.is_empty() { said.is_empty() } else { said.contains(result) }, "{setter}: {said}");
    }
}

#[test]
fn files_that_are_named_must_be_there() {
    let bench = Bench::new();
    bench.write("c.toml", GOOD);
    assert_eq!(bench.run(&["config", "check", "c.toml"]).exit, 0);
    for (from, to, message) in [
        (
            "n1.key",
            "nowhere.key",
            "error[CEL1010]: c.toml:9:1: keys[0].private-key-file: nowhere.key cannot be read: No such file",
        ),
        (
            "n1.key\"",
            "n1.key\"\npassword-file = \"nowhere\"",
            "error[CEL1010]: c.toml:10:1: keys[0].password-file: nowhere cannot be read",
        ),
        ("n1.key\"", "n1.key\"\npublic-key-file = \".\"", "keys[0].public-key-file: . cannot be read: it is a folder"),
        (
            "http://127.0.0.1:9001\"",
            "https://127.0.0.1:9001\"\n[server.tls]\ncert = \"server.pem\"\nkey = \"nowhere\"\nca = [\"ca.pem\"]",
            "error[CEL1010]: c.toml:10:1: server[1].tls.key: nowhere cannot be read",
        ),
        (
            "http://127.0.0.1:9001\"",
            "https://127.0.0.1:9001\"\n[server.tls]\ncert = \"server.pem\"\nkey = \"server.key\"\nca = [\"ca.pem\", \"nowhere\"]",
            "error[CEL1010]: c.toml:11:17: server[1].tls.ca[1]: nowhere cannot be read",
        ),
        (
            "http://127.0.0.1:9001\"",
            "https://127.0.0.1:9001\"\n[server.tls]\ncert = \"server.pem\"\nkey = \"server.key\"\ntrust-mode = \"whitelist\"\nknown-file = \"nowhere\"",
            "server[1].tls.known-file: nowhere cannot be read",
        ),
    ] {
        bench.write("c.toml", &GOOD.replacen(from, to, 1));
        let said = bench.run(&["config", "check", "c.toml"]);
        assert!(said.exit == 1 && said.err.contains(message), "{to}: {said:?}");
    }
    let made = "https://127.0.0.1:9001\"\n[server.tls]\ncert = \"no.pem\"\nkey = \"no.key\"\ngenerate-if-missing = true\nca = [\"ca.pem\"]";
    bench.write("c.toml", &GOOD.replacen("http://127.0.0.1:9001\"", made, 1));
    assert_eq!(bench.run(&["config", "check", "c.toml"]).exit, 0);
}

#[test]
fn webhooks() {
    let hook = |lines: &str| error_of(&format!("{GOOD}[[webhook]]\n{lines}\n"));
    for (lines, message) in [
        ("kinds = []", "CEL1006"),
        ("url = \"ftp://a.example\"", "expected an https:// or http:// URL"),
        ("url = \"https://user:pw@a.example\"", "expected an https:// or http:// URL"),
        ("url = \"https://a.example/\"\nkinds = [\"sold\"]", "unknown variant `sold`"),
        ("url = \"https://a.example/\"\nsecret = \"x\"", "CEL1004"),
        ("url = \"https://a.example/\"\n[[webhook]]\nurl = \"https://a.example\"", "another webhook has this URL"),
    ] {
        let error = hook(lines);
        assert!(error.contains(message), "{lines}: {error}");
        assert!(!error.contains("pw@"), "{error}");
    }
    let good = hook("url = \"https://a.example/?key=1\"\nkinds = [\"stored\"]");
    assert!(good.starts_with("error[CEL1006]") && good.contains("add [governance]") && good.lines().count() == 1, "{good}");
    let plain = load_text("c.toml", &format!("{GOOD}[[webhook]]\nurl = \"http://a.example/\"\n"), &[]).unwrap_err();
    assert!(plain.warnings[0].text.contains("in the clear"));
}

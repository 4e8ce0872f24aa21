//! Every field of Tessera's that is refused, wrong, or accepted with a warning: code, field, and what to do.

use celosia::config::{Override, load_text};
use serde_json::{Value, json};

use crate::bench_of_files::{Bench, N1, N2};

/// Nothing to warn of but the old database.
fn good() -> Value {
    json!({
        "jdbc": {"url": "jdbc:h2:/data/db"},
        "serverConfigs": [
            {"app": "P2P", "serverAddress": "http://127.0.0.1:9001", "bindingAddress": "http://127.0.0.1:9001"},
            {"app": "Q2T", "serverAddress": "unix:/data/tm.ipc"},
            {"app": "ThirdParty", "serverAddress": "http://127.0.0.1:9081", "bindingAddress": "http://127.0.0.1:9081"},
        ],
        "peer": [],
        "keys": {"keyData": [{"privateKeyPath": "n1.key", "publicKeyPath": "n1.pub"}]},
    })
}

/// The good file with fields set; `null` takes one away.
fn with(fields: &[(&str, Value)]) -> Value {
    let mut document = good();
    for (pointer, value) in fields {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Object(object) => drop(object.insert(name.to_owned(), value.clone())),
            Value::Array(list) => match name.parse::<usize>().unwrap() {
                index if index < list.len() => list[index] = value.clone(),
                _ => list.push(value.clone()),
            },
            _ => panic!("{pointer}"),
        }
    }
    document
}

/// Everything said about a document, errors before warnings.
fn said_of(document: &Value) -> String {
    match load_text("c.json", &format!("{document:#}"), &[]) {
        Ok(loaded) => loaded.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect(),
        Err(rejected) => rejected.to_string(),
    }
}

fn ssl(fields: &[(&str, Value)]) -> Vec<(&'static str, Value)> {
    let mut tls = json!({"tls": "STRICT", "serverTlsKeyPath": "k", "serverTlsCertificatePath": "c", "serverTrustMode": "NONE", "clientTrustMode": "NONE"});
    for (name, value) in fields {
        tls[*name] = value.clone();
    }
    vec![
        ("/serverConfigs/0/serverAddress", json!("https://127.0.0.1:9001")),
        ("/serverConfigs/0/bindingAddress", json!("https://127.0.0.1:9001")),
        ("/serverConfigs/0/sslConfig", tls),
    ]
}

#[test]
fn the_good_one_says_only_where_payloads_are_kept() {
    let said = said_of(&good());
    assert_eq!(
        said,
        "warning: c.json:3:5: jdbc.url: payloads are kept in /data/db.celosia; those in the old database /data/db are not read (`--recover` fetches them from peers)\n"
    );
    assert_eq!(said_of(&with(&ssl(&[]))).lines().count(), 1, "{}", said_of(&with(&ssl(&[]))));
}

#[test]
fn refused_by_name() {
    let vault = |name: &str| json!({name: "x", "publicKey": N1[1]});
    for (field, value, message) in [
        ("/mode", json!("orion"), "mode: orion mode (Besu) is not offered"),
        (
            "/encryptor",
            json!({"type": "EC", "properties": {"ellipticCurve": "secp256r1"}}),
            "encryptor.type: only NACL is offered",
        ),
        ("/encryptor", json!({"type": "CUSTOM"}), "encryptor.type: only NACL is offered"),
        ("/jdbc/url", json!("jdbc:postgresql://db:5432/tessera"), "jdbc.url: postgresql is not a store that Celosia can use"),
        ("/jdbc/url", json!("jdbc:mysql://db/tessera"), "give `-o celosia.dataDir=/path`"),
        ("/jdbc/url", json!("jdbc:oracle:thin:@//db:1521/t"), "jdbc.url: oracle is not a store"),
        ("/jdbc/url", json!("jdbc:h2:tcp://localhost/~/db"), "jdbc.url: h2 as a server or archive is not a store"),
        ("/serverConfigs/0/communicationType", json!("GRPC"), "serverConfigs[0].communicationType: only REST is offered"),
        (
            "/serverConfigs/3",
            json!({"app": "ENCLAVE", "serverAddress": "http://enclave:8080"}),
            "serverConfigs[3].serverAddress: an enclave behind HTTP is not offered",
        ),
        (
            "/keys/keyVaultConfigs",
            json!([{"keyVaultType": "HASHICORP", "properties": {}}]),
            "keys.keyVaultConfigs: vaults are not read",
        ),
        ("/keys/azureKeyVaultConfig", json!({"url": "https://v"}), "keys.azureKeyVaultConfig: vaults are not read"),
        ("/keys/hashicorpKeyVaultConfig", json!({"url": "https://v"}), "keys.hashicorpKeyVaultConfig: vaults are not read"),
        ("/keys/keyData/0", vault("azureVaultPrivateKeyId"), "keys.keyData[0].azureVaultPrivateKeyId: vaults are not read"),
        (
            "/keys/keyData/0",
            vault("awsSecretsManagerPrivateKeyId"),
            "keys.keyData[0].awsSecretsManagerPrivateKeyId: vaults are not read",
        ),
        (
            "/keys/keyData/0",
            vault("hashicorpVaultPrivateKeyId"),
            "keys.keyData[0].hashicorpVaultPrivateKeyId: vaults are not read",
        ),
    ] {
        let said = said_of(&with(&[(field, value)]));
        assert!(said.starts_with("error[CEL1008]: c.json:") && said.contains(message), "{field}: {said}");
    }
    for (fields, message) in [
        (
            ssl(&[("serverKeyStore", json!("s.jks")), ("serverKeyStorePassword", json!("hidden"))]),
            "serverKeyStore: Java keystores are not read",
        ),
        (ssl(&[("serverKeyStore", json!("s.jks"))]), "keytool -importkeystore -srckeystore s.jks -destkeystore server.p12"),
        (
            ssl(&[("clientKeyStore", json!("c.jks"))]),
            "set clientTlsKeyPath to client.key and clientTlsCertificatePath to client.pem",
        ),
        (
            ssl(&[("serverTrustStore", json!("t.jks")), ("serverTrustMode", json!("CA"))]),
            "keytool -list -rfc -keystore t.jks > server-ca.pem",
        ),
        (
            ssl(&[("clientTrustStore", json!("t.jks")), ("clientTrustMode", json!("CA_OR_TOFU"))]),
            "clientTrustStore: Java truststores are not read",
        ),
    ] {
        let said = said_of(&with(&fields));
        assert!(said.starts_with("error[CEL1008]: c.json:") && said.contains(message) && !said.contains("hidden"), "{said}");
    }
}

#[test]
fn wrong_fields() {
    let mut wrong = Vec::new();
    for (field, value, message) in [
        ("/jdbc", json!(null), "jdbc.url: is missing"),
        ("/jdbc/url", json!(""), "jdbc.url: is missing"),
        ("/jdbc", json!(5), "jdbc: expected an object"),
        ("/useWhiteList", json!("maybe"), "useWhiteList: expected true or false"),
        ("/disablePeerDiscovery", json!(1), "disablePeerDiscovery: expected true or false"),
        ("/mode", json!("besu"), "mode: expected \"tessera\""),
        ("/serverConfigs", json!(null), "serverConfigs: is missing: expected a list"),
        ("/serverConfigs", json!(["x"]), "serverConfigs[0]: expected an object"),
        ("/serverConfigs/0/app", json!("Q3T"), "serverConfigs[0].app: expected P2P, Q2T, ThirdParty, ENCLAVE or ADMIN"),
        ("/serverConfigs/0/app", json!(null), "error[CEL1006]: serverConfigs[0].app: is missing"),
        ("/serverConfigs/0/app", json!("Q2T"), "serverConfigs: no listener of the peer surface"),
        ("/serverConfigs/1/app", json!("P2P"), "serverConfigs: more than one listener of the peer surface"),
        ("/serverConfigs/0/serverAddress", json!(null), "error[CEL1006]: serverConfigs[0].serverAddress: is missing"),
        ("/serverConfigs/0/serverAddress", json!("127.0.0.1:9001"), "serverConfigs[0].serverAddress: expected \"unix:/path\""),
        ("/serverConfigs/0/serverAddress", json!("unix:/p"), "serverConfigs[0]: members cannot reach a Unix socket"),
        (
            "/serverConfigs/0/bindingAddress",
            json!("nonsense"),
            "serverConfigs[0].bindingAddress: expected an http:// or https:// URL",
        ),
        ("/serverConfigs/2/bindingAddress", json!("http://127.0.0.1:9001"), "error[CEL1007]: serverConfigs[2]: listens where"),
        ("/serverConfigs/0/sslConfig", json!({}), "serverConfigs[0].sslConfig.tls: is missing: expected STRICT or OFF"),
        ("/serverConfigs/0/sslConfig", json!({"tls": "LAX"}), "serverConfigs[0].sslConfig.tls: expected STRICT or OFF"),
        (
            "/serverConfigs/0/properties",
            json!({"partyInfoInterval": "soon"}),
            "properties.partyInfoInterval: expected a whole number",
        ),
        ("/serverConfigs/0/properties", json!({"partyInfoInterval": "1"}), "peer: expected at least 100ms"),
        ("/peer/0", json!({}), "error[CEL1006]: peer[0].url: is missing"),
        ("/peer/0", json!({"url": "nonsense"}), "peer[0].url: expected an http:// or https:// URL (not an absolute"),
        ("/peer/0", json!("http://a"), "peer[0]: expected an object"),
        ("/keys", json!(null), "error[CEL1006]: keys: no key pair"),
        ("/keys/keyData/0", json!({}), "error[CEL1006]: keys.keyData[0]: expected exactly one private key"),
        ("/keys/keyData/0/privateKey", json!(N1[0]), "error[CEL1007]: keys.keyData[0]: expected exactly one private key"),
        (
            "/keys/keyData/0",
            json!({"config": {"type": "scrypt", "data": {}}}),
            "keys.keyData[0].config.type: expected \"unlocked\" or \"argon2sbox\"",
        ),
        ("/keys/keyData/0", json!({"config": {"type": "unlocked"}}), "keys.keyData[0].config.data: is missing"),
        (
            "/keys/keyData/0/publicKey",
            json!("AAAA"),
            "publicKey: expected a public key, 32 bytes in base64 (decodes to 3 bytes where 32 are needed)",
        ),
        ("/alwaysSendTo", json!(["nowhere.pub"]), "alwaysSendTo[0]: expected a public key, 32 bytes in base64"),
        ("/residentGroups", json!([{"members": []}]), "residentGroups[0].name: is missing"),
        ("/residentGroups", json!([{"name": "a", "members": ["x"]}]), "residentGroups[0].members[0]: expected a public key"),
        (
            "/residentGroups",
            json!([{"name": "a", "members": [N1[1]]}, {"name": "b", "members": [N2[1], N1[1]]}]),
            "residentGroups[1].members[1]: this key is in another group too",
        ),
        ("/features", json!({"enablePrivacyEnhancements": "si"}), "features.enablePrivacyEnhancements: expected true or false"),
        ("/celosia", json!({"socketMode": "rw"}), "celosia.socketMode: expected permission bits in octal"),
        ("/celosia", json!({"maxBody": "big"}), "celosia.maxBody: expected a size in bytes"),
        ("/celosia", json!({"adminAddress": "9090"}), "celosia.adminAddress: expected \"unix:/path\""),
        ("/celosia", json!({"logFormat": "xml"}), "celosia.logFormat: expected \"text\" or \"json\""),
    ] {
        let said = said_of(&with(&[(field, value.clone())]));
        let (code, message) = match message.split_once("]: ") {
            Some((code, message)) if code.starts_with("error[") => (code, message),
            _ => ("error[CEL10", message),
        };
        if !(said.starts_with(code) && said.contains(message)) {
            wrong.push(format!("{field} = {value}\n  says   {said}\n  wanted {message}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (fields, message) in [
        (
            ssl(&[("serverTlsKeyPath", json!(null))]),
            "sslConfig: a listener with TLS needs serverTlsKeyPath and serverTlsCertificatePath",
        ),
        (
            ssl(&[("serverTrustMode", json!("ANY"))]),
            "sslConfig.serverTrustMode: expected NONE, CA, TOFU, CA_OR_TOFU or WHITELIST",
        ),
        (ssl(&[("serverTrustMode", json!("CA"))]), "serverConfigs[0]: this trust mode needs certificates of authorities"),
        (ssl(&[("sslConfigType", json!("BOTH"))]), "sslConfig.sslConfigType: expected SERVER_ONLY"),
        (ssl(&[("clientAuth", json!("perhaps"))]), "sslConfig.clientAuth: expected true or false"),
        (ssl(&[("clientTlsKeyPath", json!("k"))]), "serverConfigs[0].sslConfig: a certificate and its private key go together"),
    ] {
        let said = said_of(&with(&fields));
        assert!(said.starts_with("error[CEL10") && said.contains(message), "wanted {message}\n  says {said}");
    }
    let plain = said_of(&with(&[ssl(&[]).remove(2)]));
    assert!(
        plain.contains("error[CEL1007]")
            && plain.contains("serverConfigs[0]: this listener speaks TLS: its address must begin with https://"),
        "{plain}"
    );
}

#[test]
fn accepted_with_a_warning_that_names_the_field() {
    for (field, value, message) in [
        ("/type", json!("x"), "type: has no meaning"),
        ("/version", json!("21.1"), "version: has no meaning"),
        ("/bootstrapNode", json!(true), "bootstrapNode: has no effect"),
        ("/fetchSize", json!(5), "fetchSize: has no effect"),
        ("/jdbc/username", json!("sa"), "jdbc: without effect: username;"),
        ("/jdbc/autoCreateTables", json!("true"), "jdbc: without effect: autoCreateTables;"),
        ("/jdbc/pool", json!(5), "jdbc.pool: is not a field of Tessera's and has no effect"),
        ("/jdbc/url", json!("jdbc:h2:mem:x"), "jdbc.url: an in-memory database: payloads are kept in a temporary folder"),
        ("/notAField", json!(1), "notAField: is not a field of Tessera's and has no effect"),
        ("/features", json!({"enableFlight": true}), "features.enableFlight: is not a field of Tessera's"),
        (
            "/encryptor",
            json!({"type": "nacl", "properties": {"a": "b"}}),
            "encryptor.properties: has no effect on the NACL encryptor",
        ),
        ("/keys/passwords", json!(["a"]), "keys.passwords: passwords in the configuration are taken"),
        ("/keys/keyData/0/nick", json!("n"), "keys.keyData[0].nick: is not a field of Tessera's"),
        ("/serverConfigs/0/enabled", json!(false), "serverConfigs[0].enabled: has no effect"),
        ("/serverConfigs/0/influxConfig", json!({"dbName": "x"}), "serverConfigs[0].influxConfig: nothing is pushed to InfluxDB"),
        (
            "/serverConfigs/0/bindingAddress",
            json!(null),
            "serverConfigs[0].bindingAddress: is not set: listening on this machine only",
        ),
        (
            "/serverConfigs/0/serverAddress",
            json!("http://member1:9001"),
            "serverConfigs[0].bindingAddress: listens on this machine only",
        ),
        (
            "/serverConfigs/1/bindingAddress",
            json!("http://0.0.0.0:1"),
            "serverConfigs[1].bindingAddress: has no effect on a Unix socket",
        ),
        ("/serverConfigs/1/sslConfig", json!({"tls": "STRICT"}), "serverConfigs[1].sslConfig: has no effect on a Unix socket"),
        ("/serverConfigs/1/cors", json!({}), "serverConfigs[1].cors: has no effect on a Unix socket"),
        ("/serverConfigs/1/communicationType", json!("UNIX_SOCKET"), "serverConfigs[1].communicationType: is an old spelling"),
        ("/serverConfigs/2/cors", json!({"maxAge": 5}), "serverConfigs[2].cors.maxAge: is not a field of Tessera's"),
        (
            "/serverConfigs/2/properties",
            json!({"partyInfoInterval": "5000"}),
            "properties.partyInfoInterval: has an effect on the P2P app only",
        ),
        ("/serverConfigs/0/properties", json!({"syncInterval": 1}), "properties.syncInterval: has no effect"),
        ("/serverConfigs/0/properties", json!({"resendWaitTime": 1}), "properties.resendWaitTime: has no effect"),
        ("/serverConfigs/0/properties", json!({"enclaveKeySyncInterval": 1}), "properties.enclaveKeySyncInterval: has no effect"),
        ("/serverConfigs/0/sslConfig", json!({"tls": "OFF", "colour": "red"}), "sslConfig.colour: is not a field of Tessera's"),
        ("/unixSocketFile", json!("/other.ipc"), "unixSocketFile: has no effect: serverConfigs has a Q2T entry"),
        ("/server", json!({"port": 1}), "server: is the old form of serverConfigs"),
        ("/useWhiteList", json!("true"), "peer: the whitelist is on and no peer is listed"),
        ("/celosia", json!({"dataDir": "/x"}), "celosia.dataDir is set: payloads are kept in /x"),
        ("/celosia", json!({"speed": 9}), "celosia.speed: is not a field"),
    ] {
        let said = said_of(&with(&[(field, value)]));
        assert!(said.starts_with("warning: ") && said.contains(message), "{field}\n  says   {said}\n  wanted {message}");
    }
    for (fields, message) in [
        (ssl(&[("environmentVariablePrefix", json!("X"))]), "sslConfig.environmentVariablePrefix: has no effect"),
        (ssl(&[("serverTrustMode", json!(null))]), "sslConfig.serverTrustMode: is not set: TOFU is taken"),
        (
            ssl(&[("serverTrustMode", json!("TOFU"))]),
            "sslConfig.knownClientsFile: is not set: known certificates are kept in /data/db.celosia/known-clients",
        ),
        (
            ssl(&[("clientTrustMode", json!("TOFU"))]),
            "sslConfig.knownServersFile: is not set: known certificates are kept in /data/db.celosia/known-servers",
        ),
        (ssl(&[("serverTrustStore", json!("t.jks"))]), "sslConfig.serverTrustStore: has no effect"),
        (
            ssl(&[("sslConfigType", json!("SERVER_ONLY"))]),
            "sslConfig: without effect: clientTrustMode; only the P2P app calls others",
        ),
    ] {
        let said = said_of(&with(&fields));
        assert!(said.starts_with("warning: ") && said.contains(message), "wanted {message}\n  says {said}");
    }
}

#[test]
fn overrides() {
    for (setter, result) in [
        ("peer[0].url=http://10.0.0.2:9001", Ok("urls = [\"http://10.0.0.2:9001/\"]")),
        ("peer.url=http://10.0.0.2:9001", Ok("urls = [\"http://10.0.0.2:9001/\"]")),
        ("useWhiteList=true", Ok("whitelist = true")),
        ("keys.keyData[0].privateKeyPath=/k", Ok("private-key-file = \"/k\"")),
        ("serverConfigs[1].serverAddress=unix:/x.ipc", Ok("address = \"unix:/x.ipc\"")),
        ("jdbc.url=jdbc:h2:/elsewhere", Ok("data-dir = \"/elsewhere.celosia\"")),
        ("celosia.dataDir=/elsewhere", Ok("data-dir = \"/elsewhere\"")),
        ("celosia.logFormat=json", Ok("format = \"json\"")),
        ("celosia.adminAddress=http://127.0.0.1:9090", Ok("surface = \"admin\"")),
        ("celosia.socketMode=0660", Ok("socket-mode = \"0660\"")),
        ("celosia.socketOwner=tm:geth", Ok("socket-owner = \"tm:geth\"")),
        ("celosia.maxBody=1MiB", Ok("max-body = \"1MiB\"")),
        ("features.enablePrivacyEnhancements=true", Ok("privacy-enhancements = true")),
        ("alwaysSendTo=BULeR8JyUWhiuuCMU/HLA0Q5pzkYT+cHII3ZKBey3Bo=", Ok("always-send-to = [\"BULeR8Jy")),
        ("peers[0].url=http://x", Err("error[CEL1004]: override: peers[0].url: Tessera has no such field")),
        ("useWhitelist=true", Err("error[CEL1004]: override: useWhitelist: Tessera has no such field")),
        ("useWhiteList=maybe", Err("error[CEL1005]: override: useWhiteList: expected true or false")),
        ("peer[4].url=http://x", Err("error[CEL1009]: override: peer[4].url: the list has 0 elements")),
    ] {
        let overrides = [Override::parse(setter).unwrap()];
        let said =
            load_text("c.json", &good().to_string(), &overrides).map(|loaded| loaded.config.to_toml().unwrap().to_string());
        match (said, result) {
            (Ok(said), Ok(line)) => assert!(said.contains(line), "{setter}: {said}"),
            (Err(said), Err(message)) => assert!(said.to_string().contains(message), "{setter}: {said}"),
            (said, _) => panic!("{setter}: {said:?}"),
        }
    }
}

#[test]
fn a_server_database_runs_with_a_data_folder() {
    let document = with(&[("/jdbc/url", json!("jdbc:postgresql://db/tessera"))]);
    let overrides = [Override::parse("celosia.dataDir=/data").unwrap()];
    let loaded = load_text("c.json", &document.to_string(), &overrides).unwrap();
    assert_eq!(loaded.config.data_dir, Some("/data".into()));
    assert_eq!(loaded.warnings.len(), 1);
}

/// Exit codes and the form of messages, through the binary.
#[test]
fn exit_codes() {
    let bench = Bench::new();
    for (text, exit, message) in [
        ("{ \"peer\": [ }", 3, "error[CEL1003]: c.json:1:13: not valid JSON: "),
        ("{}", 1, "jdbc.url: is missing"),
        ("", 1, "error[CEL1006]: c.json: server: no listener"),
    ] {
        bench.write("c.json", text);
        for arguments in [&["config", "check", "c.json"][..], &["-configfile", "c.json"], &["run", "--config", "c.json"]] {
            let said = bench.run(arguments);
            assert_eq!(said.exit, exit, "{arguments:?} {said:?}");
            assert!(said.err.contains(message), "{arguments:?} {said:?}");
        }
    }
    let said = bench.run(&["config", "check", "nowhere.json"]);
    assert_eq!((said.exit, said.err.contains("error[CEL1001]: nowhere.json: cannot be read")), (1, true), "{said:?}");
    for arguments in [&["-configfile"][..], &["--nonsense"], &["run"], &["-configfile", "c.json", "-o", "nonsense"]] {
        assert_eq!(bench.run(arguments).exit, 4, "{arguments:?}");
    }
}

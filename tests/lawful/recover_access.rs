//! A recovery where people have roles: at the holder the data protection officer asks and the officers answer; at the member that lost everything
//! an operator wants it back, and a second person lets it come.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::court::Court;
use crate::issuer::Issuer;

fn people() -> Value {
    json!({
        "ana": { "roles": ["dpo"], "name": "Ana Díaz" },
        "bea": { "roles": ["operator"], "name": "Bea Ruiz" },
        "bea-2": { "roles": ["operator", "dpo"], "name": "Bea Ruiz" },
        "olga": { "roles": ["officer"], "name": "Olga" },
        "oto": { "roles": ["observer"], "name": "Oto" },
    })
}

impl Court {
    /// From now on somebody else sits at the keyboard.
    fn now(&self, issuer: &Issuer, who: &str) {
        let file = self.folder.path().join(format!("{who}.jwt"));
        fs::write(&file, issuer.token(who, "member1", "ES256")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        *self.token.lock().unwrap() = Some(file);
    }

    /// People have roles at every node.
    fn with_people(&mut self, issuer: &Issuer) {
        for member in &mut self.members {
            member.stop();
            let access = "[access]\n[access.oidc]\naudience = \"member1\"\nname-claim = \"name\"\n";
            member.extra += &[access, "issuer = \"", &issuer.url(), "\"\n"].concat();
            member.start();
        }
    }
}

#[test]
fn a_recovery_needs_its_roles_and_a_second_person() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let mut court = Court::begin(&["a", "b"]);
    let (a, b) = (court.at(0), court.at(1));
    let ids = [a.sent(b"to b", &[b]), b.sent(b"of b", &[a])];
    court.destroyed(1);
    court.begins_again(1, &[0]);
    court.with_people(&issuer);

    // At the holder: who has no part in it does nothing, and without a token nobody does.
    court.recovery("lost", 1, 0, &[]).refused("CEL23");
    court.now(&issuer, "oto");
    court.recovery("lost", 1, 0, &[]).refused("CEL2315");
    court.now(&issuer, "ana");
    court.recovery("lost", 1, 0, &[]).well();
    let grant = court.grant_of("lost");
    court.now(&issuer, "olga");
    for officer in [1, 2, 3] {
        court.approves(officer, 0, &grant).well();
    }
    for officer in [1, 2, 3] {
        court.releases(officer, 0, &grant).well();
    }
    court.collects_back("lost", 1, 0).refused("CEL2315");
    court.now(&issuer, "ana");
    court.collects_back("lost", 1, 0).well();

    // At the member: one person alone brings nothing back, under whatever name.
    court.now(&issuer, "bea");
    court.recovers("import", "lost", 1, &[]).refused("CEL7345");
    let admin = court.admin(1);
    let argument = format!("grant={grant}");
    let asked = court.run(&["acts", "request", "recover", "--argument", &argument, "--reason", "incident 12", "--admin", &admin]);
    let act = asked.well().lines().next().unwrap().trim().to_owned();
    for who in ["bea", "bea-2"] {
        court.now(&issuer, who);
        court.run(&["acts", "approve", &act, "--admin", &admin]).refused("CEL2321");
    }
    court.now(&issuer, "bea");
    court.recovers("import", "lost", 1, &[]).refused("CEL7345");
    court.now(&issuer, "ana");
    court.run(&["acts", "approve", &act, "--admin", &admin]).well();
    // Who let it come does not carry it in.
    court.recovers("import", "lost", 1, &[]).refused("CEL2315");
    court.now(&issuer, "bea");
    let told = court.recovers("import", "lost", 1, &[]).well();
    assert!(told.contains("2 kept, 0 here already"), "{told}");
    let b = court.at(1);
    assert_eq!(b.receive(&ids[0]).as_deref(), Some(&b"to b"[..]));
    assert_eq!(b.receive(&ids[1]).as_deref(), Some(&b"of b"[..]));
}

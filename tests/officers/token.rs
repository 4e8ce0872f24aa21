//! An officer's folder whose root a PKCS #11 token holds.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::officers::Officers;

const PIN: &str = "98765432";

fn module() -> Option<PathBuf> {
    let mut places = vec![PathBuf::from("/usr/lib/softhsm/libsofthsm2.so"), PathBuf::from("/usr/lib64/pkcs11/libsofthsm2.so")];
    places.extend(std::env::var_os("CELOSIA_TEST_PKCS11").map(PathBuf::from));
    places.into_iter().rfind(|path| path.exists())
}

#[test]
fn a_copy_from_before_opens_nothing_once_the_token_forgot() {
    let Some(module) = module() else {
        println!("skipped: SoftHSM2 is not installed (scripts/setup test does)");
        return;
    };
    let officers = Officers::new(2);
    let ground = &officers.ground;
    std::fs::create_dir(ground.path("tokens")).unwrap();
    let tokens = ground.path("tokens").display().to_string();
    ground.write("softhsm2.conf", &format!("directories.tokendir = {tokens}\nlog.level = ERROR\n"));
    let with_token = |command: &mut Command| -> Output {
        command.current_dir(ground.path("")).env("SOFTHSM2_CONF", ground.path("softhsm2.conf")).output().unwrap()
    };
    let label = ["--init-token", "--free", "--label", "officer", "--pin", PIN, "--so-pin", "1234"];
    assert!(with_token(Command::new("softhsm2-util").args(label)).status.success());
    let run = |call: &str, pin: &str| {
        let output = with_token(ground.command().args(call.split_whitespace()).env("CELOSIA_OFFICER_PIN", pin));
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let must = |call: &str| {
        let (good, told) = run(call, PIN);
        assert!(good, "{call}: {told}");
        told
    };
    let module = module.display();
    must(&format!(
        "officer init --folder o3 --name o3 --entity E3 --password-file password --argonconfig argon.json --module {module} --token officer"
    ));
    assert!(!ground.path("o3/root-1.key").exists() && ground.path("o3/root-1.wrapped").exists());
    let step = |verb: &str, ceremony: &str, at: usize| {
        must(&format!("officer {verb} --ceremony {ceremony} --folder o{at} --password-file password --yes"))
    };
    let all = |verb: &str, ceremony: &str| (0..4).for_each(|_| (1..=3).for_each(|at| drop(step(verb, ceremony, at))));
    officers.plan("dkg", &[1, 2, 3], 2);
    all("dkg", "dkg");
    // Password and token, both.
    let again = "officer dkg --ceremony dkg --folder o3 --password-file password --yes";
    assert!(must(again).contains("complete"));
    let (good, why) = run(again, "00000000");
    assert!(!good && why.contains("error[CEL"), "{why}");
    officers.copy("o3", "o3-before");
    must("officer refresh --ceremony fresh --committee dkg/committee.toml");
    all("refresh", "fresh");
    // Control: until the old share is destroyed, the copy opens.
    must("officer dkg --ceremony dkg --folder o3-before --password-file password --yes");
    let told = must("officer destroy --folder o3 --password-file password --committee fresh/committee.toml");
    assert!(told.contains("1 share(s)") && told.contains("C_DestroyObject CKR_OK"), "{told}");
    assert!(must("officer dkg --ceremony fresh --folder o3 --password-file password --yes").contains("generation 2"));
    let (good, why) = run("officer dkg --ceremony dkg --folder o3-before --password-file password --yes", PIN);
    assert!(!good && why.contains("error[CEL"), "a copy from before, with password, token and PIN: {why}");
}

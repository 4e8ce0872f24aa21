//! Lawful sight: a committee that makes its key, an auditor, officers who approve, those concerned who are told, and an erasure after which
//! the same request opens nothing. Every step is a command of this program, on the folders of whoever runs it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use jiff::{SignedDuration, Timestamp};

use super::stage::{LOCK, PASSWORD, Stage};
use super::story::{self, PLAINTEXT, heading};
use crate::ceremony::CommitteeFile;
use crate::cli::network::Network;
use crate::governance::Committee;
use crate::types::{NetworkId, PayloadId};

/// Officers of three houses, any two of whom open.
const OFFICERS: [(&str, &str, &str); 3] =
    [("ana", "Ana Arce", "Arce Notaries"), ("ben", "Ben Bloch", "Bloch Trust"), ("cam", "Cam Castro", "Castro Audit")];
/// No GoQuorum stands over these members: nothing waits for what it might remember.
const EXTRA: &str = "\n[erasure]\nnode-cache = \"0s\"\n";
/// How long those concerned may take to hear of it, and an erasure to be everywhere.
const PATIENCE: Duration = Duration::from_secs(30);
const ALL: usize = usize::MAX;

/// A network whose committee is made by its officers before its policy is signed.
pub(super) fn begin(members: usize, folder: &Path) -> anyhow::Result<(Network, NetworkId)> {
    let mut id = None;
    let network = Network::start_supervised(members, Some(folder), EXTRA, |folder, network| {
        id = Some(network);
        make_key(&Stage::set(folder)?, &network)
    })?;
    Ok((network, id.context("a network has a name")?))
}

/// The officers' ceremony: what each says travels as a file, here in the folder `dkg`.
fn make_key(stage: &Stage, network: &NetworkId) -> anyhow::Result<Committee> {
    heading(1, "Three officers of three houses make a key together; two of them open, and it is whole nowhere");
    for (folder, name, entity) in OFFICERS {
        let who = ["officer", "init", "--folder", folder, "--name", name, "--entity", entity];
        stage.run(folder, &[&who[..], &LOCK].concat(), if folder == "ana" { 5 } else { 0 })?;
    }
    let network = network.to_string();
    let plan = ["officer", "dkg", "--ceremony", "dkg", "--network", &network, "--threshold", "2"];
    let cards = ["--card", "ana/officer.pub", "--card", "ben/officer.pub", "--card", "cam/officer.pub"];
    stage.run("ana", &[&plan[..], &cards].concat(), ALL)?;
    // The rules of a ceremony: three rounds, and one to learn that all have signed.
    for _ in 0..4 {
        let mut complete = 0;
        for (folder, ..) in OFFICERS {
            let take = ["officer", "dkg", "--ceremony", "dkg", "--yes", "--folder", folder];
            let said = stage.run(folder, &[&take[..], &PASSWORD].concat(), 3)?;
            complete += usize::from(said.contains("complete: "));
        }
        if complete == OFFICERS.len() {
            let text = fs::read_to_string(stage.path("dkg/committee.toml"))?;
            return Ok(CommitteeFile::parse(&text)?.committee);
        }
    }
    bail!("the ceremony does not end")
}

/// Tells the rest.
pub(super) async fn tell(network: &Network, id: &NetworkId) -> anyhow::Result<()> {
    heading(2, "The governors list that committee in a policy with supervision S2 for all; the members start under it");
    story::introduce(network);
    let stage = Stage::set(network.path())?;
    let payload = story::send(3, network).await?;
    say!("            With it travelled a capsule for the committee. B made it again from what it got before it acknowledged:");
    say!("            a sender that leaves the committee out, or shows it something else, is not acknowledged.");
    let play = Play { stage, network, id: id.to_string(), admin: network.members[0].admin.clone(), payload };
    let grant = play.ask()?;
    play.approve(&grant)?;
    play.open(&grant)?;
    play.verify(&grant).await?;
    play.erase().await?;
    play.ask_again()?;
    play.invite(&grant);
    Ok(())
}

struct Play<'a> {
    stage: Stage,
    network: &'a Network,
    /// The network's name.
    id: String,
    /// Of A, who holds the payload and is asked.
    admin: String,
    payload: PayloadId,
}

impl Play<'_> {
    /// The grant's name.
    fn ask(&self) -> anyhow::Result<String> {
        heading(4, "An auditor, who has no node, asks A to see it, twice at most");
        let who = ["auditor", "keygen", "--folder", "audit", "--name", "Eva Esteve", "--entity", "Esteve Auditors"];
        let grant = self.stage.run("eva", &[&who[..], &LOCK].concat(), ALL)?.trim().to_owned();
        let until = (Timestamp::now() + SignedDuration::from_hours(1)).round(jiff::Unit::Second)?.to_string();
        let payload = self.payload.to_string();
        let what = ["auditor", "request", "--folder", "audit", "--network", &self.id, "--id", &payload, "--views", "2"];
        let why = ["--mandate", "engagement 12", "--purpose", "yearly audit", "--basis", "contract, clause 7", "--until", &until];
        self.stage.run("eva", &[&what[..], &why, &["--admin", &self.admin], &PASSWORD].concat(), ALL)?;
        say!("   Nobody has approved, so nothing is given:");
        self.stage.refused("eva", &self.collect("audit"), "CEL7132")?;
        Ok(grant)
    }

    fn collect<'a>(&'a self, folder: &'a str) -> Vec<&'a str> {
        [&["auditor", "collect", "--folder", folder, "--admin", &self.admin][..], &PASSWORD].concat()
    }

    /// Two officers look at the case, approve, and when the view is on record in A's log, give their parts.
    fn approve(&self, grant: &str) -> anyhow::Result<()> {
        heading(5, "Two officers look at what is asked, each on a machine of its own, and approve; then each gives its part");
        let case = ["disclosure", "case", "--admin", &self.admin, grant, "--out", "case"];
        for (folder, ..) in &OFFICERS[..2] {
            self.stage.run(folder, &case, ALL)?;
            let verdict = format!("verdict-{folder}.json");
            let say = ["officer", "approve", "case", "--folder", folder, "--text", "engagement letter seen", "--out", &verdict];
            let lines = if *folder == "ana" { ALL } else { 0 };
            self.stage.run(folder, &[&say[..], &["--admin", &self.admin], &PASSWORD].concat(), lines)?;
        }
        say!("   That was enough. The view stands in A's log now, which others witness, before anybody gives anything.");
        for (folder, ..) in &OFFICERS[..2] {
            self.stage.run(folder, &case, 0)?;
            let shares = format!("shares-{folder}");
            let give = ["officer", "release", "case", "--folder", folder, "--out", &shares, "--admin", &self.admin];
            self.stage.run(folder, &[&give[..], &PASSWORD].concat(), 3)?;
        }
        Ok(())
    }

    /// The auditor's view; the folder of it is kept as it is.
    fn open(&self, grant: &str) -> anyhow::Result<()> {
        heading(6, "The auditor takes what was given, combines the parts, opens and checks it, offline");
        self.stage.run("eva", &self.collect("audit"), ALL)?;
        self.stage.run("eva", &[&["auditor", "open", "--folder", "audit"][..], &PASSWORD].concat(), ALL)?;
        let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(self.stage.path("audit/out/report.json"))?)?;
        let file = report["payloads"][0]["file"].as_str().context("a report without a payload")?;
        let seen = fs::read(self.stage.path("audit/out").join(file))?;
        ensure!(seen == PLAINTEXT.as_bytes(), "the auditor of {grant} got something else");
        say!("   audit/out/{file}  {:?}", String::from_utf8_lossy(&seen));
        Ok(())
    }

    /// Anybody verifies it from files; B is told, C is not.
    async fn verify(&self, grant: &str) -> anyhow::Result<()> {
        heading(7, "Who asked, who approved, that it is on record: anybody verifies it from a file. Those concerned are told");
        let verify = ["disclosure", "verify", "audit/release.cbor", "--network", &self.id];
        self.stage.run("anybody", &verify, ALL)?;
        let (b, c) = (&self.network.members[1].admin, &self.network.members[2].admin);
        let notices = ["disclosure", "notices", "--admin", b, "--out", "notices"];
        fs::create_dir_all(self.stage.path("notices"))?;
        self.wait("B is not told", || Ok(self.stage.call(&notices)?.1.contains("viewed"))).await?;
        self.stage.run("b", &notices, ALL)?;
        let told = self.stage.run("c", &["disclosure", "notices", "--admin", c], ALL)?;
        ensure!(told.is_empty(), "C is told of {grant}, which is none of its own");
        say!("      (nothing: C had no part in it)");
        Ok(())
    }

    async fn wait(&self, what: &str, is_so: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so()? {
            ensure!(Instant::now() < deadline, "{what}: see the logs in {}", self.network.path().display());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    async fn erase(&self) -> anyhow::Result<()> {
        heading(8, "The person it is about withdraws consent: A erases it, at every holder");
        let payload = self.payload.to_string();
        let ask = ["erase", "request", "--admin", &self.admin, "--ground", "consent-withdrawn", "--now", "--id", &payload];
        self.stage.run("a", &ask, ALL)?;
        let deadline = Instant::now() + PATIENCE;
        for member in &self.network.members[..2] {
            while story::read(member, &self.payload).await?.status.is_success() {
                ensure!(Instant::now() < deadline, "{} does not erase it", member.name);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        story::read_everywhere(9, self.network, &self.payload, |_| false).await
    }

    /// The second view: the same request, approved as before, with every officer's part at hand.
    fn ask_again(&self) -> anyhow::Result<()> {
        heading(10, "The same request again: granted, not used up, and both officers' parts are there");
        fs::create_dir_all(self.stage.path("audit-after"))?;
        for name in ["auditor.key", "auditor.json", "request.json"] {
            fs::copy(self.stage.path("audit").join(name), self.stage.path("audit-after").join(name))?;
        }
        self.stage.run("eva", &self.collect("audit-after"), ALL)?;
        let open = [&["auditor", "open", "--folder", "audit-after"][..], &PASSWORD].concat();
        self.stage.refused("eva", &open, "erased since")?;
        say!("   It opens for nobody any more: half of what opens a capsule lay under the payload's own leaf of the key tree.");
        Ok(())
    }

    fn invite(&self, grant: &str) {
        let (folder, id) = (self.network.path(), &self.id);
        heading(11, "See for yourself: every folder stays");
        say!("   cd {}", folder.display());
        say!("   celosia disclosure verify audit/release.cbor --network {id}");
        say!("   celosia disclosure verify audit-after/release.cbor --network {id}");
        say!(
            "   for notice in notices/*; do celosia disclosure verify $notice --network {id} --directory b/data/governance; done"
        );
        say!("   celosia auditor verify --folder audit --password-file password");
        say!("   celosia officer status --folder ana");
        say!("   less audit/out/report.json dkg/committee.toml");
        say!("   celosia disclosure show --admin {} {grant}      # while the members run: --stay", self.admin);
    }
}

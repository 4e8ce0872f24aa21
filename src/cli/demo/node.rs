//! A GoQuorum node on a member: a process of `geth`, reached over JSON-RPC.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::cli::http::Place;
use crate::cli::network::{Member, free_ports};

/// Longer than a node takes to answer, or a chain of three to agree.
const PATIENCE: Duration = Duration::from_secs(90);

/// A node, from its key on.
pub(super) struct Node {
    /// Its validator's account, `0x` and 40 digits; transactions are sent from it.
    pub(super) account: String,
    enode: String,
    folder: PathBuf,
    program: PathBuf,
    p2p_port: u16,
    rpc_port: u16,
    process: Option<Child>,
}

impl Node {
    /// Makes the key of a node in `folder`: the same for the node and its account. `bootnode` stands beside `geth`.
    pub(super) fn prepare(program: &Path, folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder.join("geth"))?;
        let bootnode = program.with_file_name("bootnode");
        let key = folder.join("geth/nodekey");
        output(Command::new(&bootnode).arg("-genkey").arg(&key))?;
        let public = output(Command::new(&bootnode).arg("-writeaddress").arg("-nodekey").arg(&key))?;
        let password = folder.join("password");
        fs::write(&password, "\n")?;
        let import = ["--nousb", "account", "import", "--lightkdf", "--password"];
        let said = output(Command::new(program).arg("--datadir").arg(folder).args(import).arg(&password).arg(&key))?;
        let account = said.split_once('{').and_then(|(_, rest)| rest.split_once('}')).context("geth names no account")?.0;
        let ports = free_ports(2)?;
        Ok(Self {
            account: format!("0x{account}"),
            enode: format!("enode://{}@127.0.0.1:{}?discport=0", public.trim(), ports[0]),
            folder: folder.to_owned(),
            program: program.to_owned(),
            p2p_port: ports[0],
            rpc_port: ports[1],
            process: None,
        })
    }

    /// Starts it over the member's node socket.
    pub(super) async fn start(&mut self, genesis: &Path, member: &Member) -> anyhow::Result<()> {
        output(Command::new(&self.program).arg("--datadir").arg(&self.folder).arg("init").arg(genesis))?;
        // Without this its peer-to-peer port opens on every interface.
        let config = self.folder.join("p2p.toml");
        fs::write(&config, format!("[Node.P2P]\nListenAddr = \"127.0.0.1:{}\"\n", self.p2p_port))?;
        let log = fs::File::create(self.folder.join("geth.log"))?;
        let fixed = "--nodiscover --nousb --ipcdisable --networkid 10 --syncmode full --gcmode archive --mine --miner.threads 1 \
                     --http --http.addr 127.0.0.1 --http.api admin,eth,net --unlock 0 --allow-insecure-unlock --emitcheckpoints";
        let mut run = Command::new(&self.program);
        run.arg("--datadir").arg(&self.folder).arg("--config").arg(&config).args(fixed.split_whitespace());
        run.arg("--http.port").arg(self.rpc_port.to_string()).arg("--password").arg(self.folder.join("password"));
        run.arg("--ptm.socket").arg(&member.node_socket).env_remove("PRIVATE_CONFIG");
        run.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.process = Some(run.spawn().context("cannot start geth")?);
        self.wait_for("an answer", "eth_blockNumber", json!([]), Value::is_string).await?;
        Ok(())
    }

    /// Makes it a peer of another.
    pub(super) async fn meet(&self, other: &Self) -> anyhow::Result<()> {
        self.call("admin_addPeer", json!([other.enode])).await.map(drop)
    }

    /// The result of a call; its error, if it fails.
    pub(super) async fn call(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        let place = Place::Tcp(format!("127.0.0.1:{}", self.rpc_port));
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut answer = place.call("POST", "/", Some(&body)).await?.json()?;
        if let Some(message) = answer["error"]["message"].as_str() {
            bail!("{method}: {message}");
        }
        Ok(answer["result"].take())
    }

    /// Calls until the result is as wanted.
    pub(super) async fn wait_for(
        &mut self,
        what: &str,
        method: &str,
        params: Value,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.call(method, params.clone()).await {
                Ok(result) if wanted(&result) => return Ok(result),
                _ => {}
            }
            let ended = self.process.as_mut().and_then(|child| child.try_wait().ok().flatten());
            let log = self.folder.join("geth.log");
            ensure!(ended.is_none(), "geth ended before {what}: see {}", log.display());
            ensure!(Instant::now() < deadline, "geth takes too long until {what}: see {}", log.display());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Where its JSON-RPC is.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.rpc_port)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            // Its chain lives as long as the demo: nothing has to be saved.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a program prints, if it succeeds.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().to_owned();
    let output = command.env("PRIVATE_CONFIG", "ignore").stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed: {}", program.display(), said.lines().last().unwrap_or_default());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

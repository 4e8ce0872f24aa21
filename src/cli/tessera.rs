//! Tessera's way to write a command line, turned into ours before it is parsed.
//!
//! `-configfile F -pidfile P`, `-keygen -filename a,b`, `-updatepassword`, `-version`; and bare overrides such as `--jdbc.url URL`.

use std::ffi::{OsStr, OsString};

/// Commands that Tessera writes like options.
const OPTION_COMMANDS: [(&str, &str); 7] = [
    ("-keygen", "keygen"),
    ("--keygen", "keygen"),
    ("-updatepassword", "keyupdate"),
    ("--updatepassword", "keyupdate"),
    ("-keyupdate", "keyupdate"),
    ("-version", "version"),
    ("-help", "help"),
];

/// Options that Tessera also takes with one dash. Anything else with one dash is left alone: `-o`, `-r`, `-h`.
const SINGLE_DASH: [&str; 15] = [
    "-configfile",
    "-config",
    "-configout",
    "-pidfile",
    "-override",
    "-recover",
    "-debug",
    "-filename",
    "-keyout",
    "-output",
    "-pwdout",
    "-keygenconfig",
    "-argonconfig",
    "-keygenvaulttype",
    "-keygenvaulturl",
];

/// Options of `run`, which are no overrides.
const RUN_OPTIONS: [&str; 7] = ["--config", "--configfile", "--pidfile", "--override", "--recover", "--debug", "--help"];

/// Fields of a Tessera file without a dot in their path, which old command lines set by their bare name.
const BARE_FIELDS: [&str; 6] =
    ["--useWhiteList", "--disablePeerDiscovery", "--bootstrapNode", "--alwaysSendTo", "--unixSocketFile", "--mode"];

/// Rewrites a command line; the program's name stays in front.
pub(super) fn rewrite(arguments: Vec<OsString>) -> Vec<OsString> {
    let mut words = arguments.into_iter();
    let program = words.next().unwrap_or_else(|| "celosia".into());
    let mut words: Vec<OsString> = words.map(double_dash).collect();
    let is_ours = words.first().is_some_and(|first| is_command(first));
    let mut command = None;
    if !is_ours {
        let found = words.iter().position(|word| OPTION_COMMANDS.iter().any(|(option, _)| word == option));
        if let Some(place) = found {
            let word = words.remove(place);
            command = OPTION_COMMANDS.iter().find(|(option, _)| word == *option).map(|(_, command)| *command);
        } else if words.iter().any(|word| ["--config", "--configfile"].iter().any(|name| starts_option(word, name))) {
            command = Some("run");
        }
    }
    let is_run = command.map_or_else(|| words.first().is_some_and(|first| first == "run"), |command| command == "run");
    if is_run {
        words = bare_overrides(words);
    }
    [program].into_iter().chain(command.map(OsString::from)).chain(words).collect()
}

/// Whether it is a command of ours: none is rewritten away, whatever options it has.
fn is_command(word: &OsStr) -> bool {
    let all = <super::Cli as clap::CommandFactory>::command();
    word == "help" || word.to_str().is_some_and(|word| all.find_subcommand(word).is_some())
}

fn double_dash(word: OsString) -> OsString {
    let is_known = SINGLE_DASH.iter().any(|name| starts_option(&word, name));
    if is_known { [OsStr::new("-"), word.as_os_str()].into_iter().collect() } else { word }
}

/// `--name` or `--name=value`.
fn starts_option(word: &OsStr, name: &str) -> bool {
    word.to_str().and_then(|word| word.strip_prefix(name)).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// `--jdbc.url URL` and `--jdbc.url=URL` become `-o jdbc.url=URL`.
fn bare_overrides(words: Vec<OsString>) -> Vec<OsString> {
    let mut rewritten = Vec::with_capacity(words.len());
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let Some(name) = word.to_str().filter(|word| is_bare_field(word)).and_then(|word| word.strip_prefix("--")) else {
            rewritten.push(word);
            continue;
        };
        let setter = if name.contains('=') {
            name.to_owned()
        } else {
            format!("{name}={}", words.next().unwrap_or_default().to_string_lossy())
        };
        rewritten.extend(["-o".into(), setter.into()]);
    }
    rewritten
}

fn is_bare_field(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or(word);
    let is_dotted = name.starts_with("--") && name.contains('.') && !name.contains('/');
    (is_dotted || BARE_FIELDS.contains(&name)) && !RUN_OPTIONS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_of_ours_is_rewritten_whatever_its_options() {
        let all = <crate::cli::Cli as clap::CommandFactory>::command();
        assert!(all.get_subcommands().count() > 15);
        for command in all.get_subcommands().map(clap::Command::get_name).chain(["help"]) {
            let line: Vec<OsString> = ["celosia", command, "show", "--config", "x.toml"].map(OsString::from).into();
            assert_eq!(rewrite(line.clone()), line, "{command}");
        }
    }

    #[test]
    fn forms_of_scripts_in_the_field() {
        for (line, expected) in [
            ("-configfile f.json", "run --configfile f.json"),
            ("--configfile f.json --pidfile p", "run --configfile f.json --pidfile p"),
            ("--configfile=f.json", "run --configfile=f.json"),
            ("-configfile f -pidfile p -r", "run --configfile f --pidfile p -r"),
            ("--recover --configfile f", "run --recover --configfile f"),
            ("--configfile f -o peer[1].url=http://h/", "run --configfile f -o peer[1].url=http://h/"),
            (
                "-configfile f --jdbc.url jdbc:h2:x --peer.url=http://h:1/",
                "run --configfile f -o jdbc.url=jdbc:h2:x -o peer.url=http://h:1/",
            ),
            ("--configfile f --useWhiteList true", "run --configfile f -o useWhiteList=true"),
            ("run --config ./a.b --data.dir x", "run --config ./a.b -o data.dir=x"),
            ("-keygen", "keygen"),
            ("-keygen -filename a,b", "keygen --filename a,b"),
            ("-filename a -keygen --encryptor.type NACL", "keygen --filename a --encryptor.type NACL"),
            ("-keygen -configfile f", "keygen --configfile f"),
            ("keygen --keyout a", "keygen --keyout a"),
            ("-updatepassword --keys.keyData.privateKeyPath k", "keyupdate --keys.keyData.privateKeyPath k"),
            ("-version", "version"),
            ("version", "version"),
            ("--version", "--version"),
            ("help", "help"),
            ("-h", "-h"),
            ("config check f", "config check f"),
            ("", ""),
        ] {
            let words = ["celosia"].into_iter().chain(line.split_whitespace()).map(OsString::from).collect();
            let rewritten: Vec<String> = rewrite(words).into_iter().skip(1).map(|word| word.into_string().unwrap()).collect();
            assert_eq!(rewritten.join(" "), expected, "{line}");
        }
    }
}

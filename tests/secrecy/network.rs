//! What a process looks up and connects to, as the C library hears it: a shim before that library
//! writes it down. The name of an onion service never gets there, nor anything past the proxy.
//!
//! Calls that go past the C library would not be seen. The controls show that ours do not.

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{CHILD_PROXY, CHILD_SERVICE, ONION, Recorder, SCHEMES, try_all};

/// What the shim wrote down, each once.
#[derive(Debug, Default, PartialEq)]
struct Network {
    lookups: BTreeSet<String>,
    connects: BTreeSet<String>,
}

impl Network {
    fn read(log: &Path) -> Self {
        let mut network = Self::default();
        // Without any call there is no log.
        for line in fs::read_to_string(log).unwrap_or_default().lines() {
            match line.split_once(' ').unwrap() {
                ("lookup", name) => network.lookups.insert(name.to_owned()),
                ("connect", address) => network.connects.insert(address.to_owned()),
                _ => panic!("the shim wrote {line}"),
            };
        }
        network
    }
}

/// Run this binary again, with this test only, behind the shim.
fn network_of(test: &str, variable: &str, value: &str) -> Network {
    let folder = TempDir::new().unwrap();
    let (shim, log) = (folder.path().join("shim.so"), folder.path().join("log"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/secrecy/network_log.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o"])
        .args([&shim, &source])
        .arg("-ldl")
        .output()
        .expect("a C compiler, cc");
    assert!(compiled.status.success(), "{compiled:?}");
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(variable, value)
        .env("LD_PRELOAD", &shim)
        .env("NETWORK_LOG", &log)
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    let ran = String::from_utf8_lossy(&child.stdout);
    assert!(ran.contains("1 passed"), "{test} is no test: {ran}");
    Network::read(&log)
}

fn set(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|&text| text.to_owned()).collect()
}

/// Not a test of its own: the next one runs this binary again, with this name.
#[test]
fn child_with_proxy() {
    let Ok(proxy) = std::env::var(CHILD_PROXY) else {
        return;
    };
    // Nobody listens there, and nobody may come to see.
    try_all(&proxy, "localhost:9");
}

#[test]
fn with_a_proxy_only_its_own_name_is_looked_up_and_only_it_is_connected() {
    for scheme in SCHEMES {
        let recorder = Recorder::start();
        let port = recorder.address.port();
        let proxy = format!("{scheme}://localhost:{port}");
        let network = network_of("network::child_with_proxy", CHILD_PROXY, &proxy);

        assert_eq!(network.lookups, set(&["localhost"]), "{scheme}");
        // Where localhost is two addresses, the other is tried too.
        let (v4, v6) = (format!("127.0.0.1:{port}"), format!("[::1]:{port}"));
        assert!(network.connects.contains(&v4), "{scheme}: {network:?}");
        assert!(
            network.connects.is_subset(&set(&[&v4, &v6])),
            "{scheme}: {network:?}"
        );
        // All that there was to ask for was asked for, and of the proxy.
        assert_eq!(recorder.record().asked.len(), 5, "{scheme}");
    }
}

#[test]
fn without_a_proxy_an_onion_service_is_neither_looked_up_nor_connected() {
    let service = Recorder::start();
    let address = service.address.to_string();
    // It fetches from this address, and from an onion service.
    let network = network_of("child_without_proxy", CHILD_SERVICE, &address);
    let expected = Network {
        lookups: set(&[]),
        connects: set(&[&address]),
    };
    assert_eq!(network, expected);
}

/// Not a test of its own: the next one runs this binary again, with this name.
#[test]
fn child_that_errs() {
    let Ok(near) = std::env::var(CHILD_SERVICE) else {
        return;
    };
    assert!((ONION, 80).to_socket_addrs().is_err());
    TcpStream::connect(near).unwrap();
}

#[test]
fn the_shim_hears_what_must_not_be() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = trap.local_addr().unwrap().to_string();
    let network = network_of("network::child_that_errs", CHILD_SERVICE, &address);
    let expected = Network {
        lookups: set(&[ONION]),
        connects: set(&[&address]),
    };
    assert_eq!(network, expected);
}

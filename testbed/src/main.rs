//! The testbed as a program, for a person with a phone and for tests in other languages.
//!
//! It prints one LNURL of each kind as QR codes, or with `--json` one line that describes it, and
//! runs until its standard input is closed or `POST /shutdown` arrives.

use lnurl_channel_testbed::{Kind, OfferOptions, Testbed};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

const USAGE: &str = "\
Usage: lnurl-channel-testbed [--bind ADDRESS] [--ca-file PATH] [--json]

  --bind ADDRESS  address of this machine for the nodes and the service (127.0.0.1)
  --ca-file PATH  write the certificate of the service's authority to this file
  --json          print one line of JSON instead of QR codes

Runs until its standard input is closed, or POST /shutdown arrives.";

struct Arguments {
    bind: IpAddr,
    ca_file: Option<PathBuf>,
    json: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(arguments) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    let testbed = Testbed::start_on(arguments.bind)?;
    if let Some(path) = &arguments.ca_file {
        std::fs::write(path, testbed.service().ca_pem())?;
    }
    if arguments.json {
        println!("{}", testbed.info());
    } else {
        introduce(&testbed)?;
    }
    let stop = testbed.stop();
    std::thread::spawn(move || {
        // Any end of the input is an end.
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        stop.throw();
    });
    testbed.stop().wait();
    Ok(())
}

fn parse(mut words: impl Iterator<Item = String>) -> Option<Arguments> {
    let mut arguments = Arguments {
        bind: Ipv4Addr::LOCALHOST.into(),
        ca_file: None,
        json: false,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bind" => arguments.bind = words.next()?.parse().ok()?,
            "--ca-file" => arguments.ca_file = Some(words.next()?.into()),
            "--json" => arguments.json = true,
            _ => return None,
        }
    }
    // The LNURLs hold the address: it has to be one that the wallet can reach.
    (!arguments.bind.is_unspecified()).then_some(arguments)
}

fn introduce(testbed: &Testbed) -> Result<(), Box<dyn Error>> {
    println!("control  {}", testbed.control_url());
    println!("service  {}", testbed.service().url());
    println!("onion    http://{}", testbed.service().onion_host());
    println!("proxy    {}", testbed.proxy().socks_url());
    println!("target   {}", testbed.target().uri());
    for (tag, kind) in [
        ("channelRequest", Kind::Channel),
        ("hostedChannelRequest", Kind::Hosted),
    ] {
        let options = OfferOptions {
            kind,
            ..Default::default()
        };
        let lnurl = testbed.service().offer(options).lnurl;
        // Light on dark, as terminals are: what is printed is the code's light.
        let picture = QrCode::new(&lnurl)?
            .render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .build();
        println!("\n{tag}\n{lnurl}\n{picture}");
    }
    Ok(())
}

//! Writes that fail, records that are damaged, folders that cannot be used.

use super::*;

pub fn writes() -> Vec<Cell> {
    let failed = End::Fails(Kind::StorageFailed);
    let none = End::Fails(Kind::NoChannel);
    let points = [
        (Point::Accept, "accepted", failed, Offered, 0),
        (Point::Ask, "about to ask the service", failed, Offered, 0),
        (
            Point::HostedAsk,
            "about to ask the host",
            failed,
            Offered,
            0,
        ),
        (Point::Answer, "the service has answered", none, Awaiting, 1),
        (
            Point::Report,
            "the channel has come",
            End::Works,
            Arrived,
            1,
        ),
        (Point::Cancel, "cancelled", failed, Awaiting, 1),
        (Point::Dismiss, "dismissed", failed, Refused, 1),
    ];
    let mut cells = Vec::new();
    for (point, when, end, state, callbacks) in points {
        for fault in DiskFault::ALL {
            let name = format!("{when}: {}", disk_fault_name(fault));
            let cell = cell(Stage::Journal, &name, Inject::Disk(point, fault), end);
            cells.push(cell.keeps(state).seen(1, callbacks, 0));
        }
    }
    cells
}

fn disk_fault_name(fault: DiskFault) -> &'static str {
    match fault {
        DiskFault::Replaced => "a file in place of the folder",
        DiskFault::Removed => "the folder has gone",
        DiskFault::FolderInTheWay => "a folder where it is written",
        DiskFault::RecordIsFolder => "a folder where it is put",
        DiskFault::LockTakenAway => "the lock was taken away",
        DiskFault::FileSystemFull => "the file system is full",
        DiskFault::FileSystemReadOnly => "the file system is read-only",
    }
}

pub fn records() -> Vec<Cell> {
    let damages: [(&str, Damage); 17] = [
        ("empty", |_| vec![]),
        ("cut after a byte", |whole| whole.as_bytes()[..1].to_vec()),
        ("cut in the middle", |whole| {
            whole.as_bytes()[..whole.len() / 2].to_vec()
        }),
        ("cut before its last brace", |whole| {
            whole.as_bytes()[..whole.rfind('}').unwrap()].to_vec()
        }),
        ("full of zeros", |whole| vec![0; whole.len()]),
        ("not UTF-8", |whole| {
            whole
                .replace("Asked", "\u{1}")
                .bytes()
                .map(|b| if b == 1 { 0xff } else { b })
                .collect()
        }),
        ("twice in one", |whole| whole.repeat(2).into_bytes()),
        ("an array", |whole| format!("[{whole}]").into_bytes()),
        ("nested deep", |_| {
            [vec![b'['; 100_000], vec![b']'; 100_000]].concat()
        }),
        ("of megabytes", |_| vec![b'x'; 8 * 1024 * 1024]),
        ("of a later version", |whole| {
            changed(whole, r#""version": 2"#, r#""version": 99"#)
        }),
        ("without a version", |whole| {
            changed(whole, r#""version""#, r#""wersion""#)
        }),
        ("of an unknown state", |whole| {
            changed(whole, "\"Asked\"", "\"Waiting\"")
        }),
        ("of a state that it cannot have", |whole| {
            changed(whole, "\"Asked\"", "\"Arrived\"")
        }),
        ("with a state of the wrong type", |whole| {
            changed(whole, "\"Asked\"", "7")
        }),
        ("with a key off the curve", |whole| {
            changed(whole, PEER_ID, &format!("02{}", "ff".repeat(32)))
        }),
        ("with a callback over plain http", |whole| {
            changed(whole, "https://localhost", "http://localhost")
        }),
    ];
    let cells = damages.map(|(what, damage)| {
        let name = format!("a record is {what}");
        let cell = cell(Stage::Journal, &name, Inject::Record(damage), End::Works);
        cell.keeps(Awaiting).seen(2, 2, 0)
    });
    cells.into()
}

fn changed(whole: &str, from: &str, to: &str) -> Vec<u8> {
    whole.replace(from, to).into_bytes()
}

pub fn folders() -> Vec<Cell> {
    let damages: [(&str, Unusable); 5] = [
        ("the folder is locked by another client", |world| {
            let other = once_free(|| world.open()).unwrap();
            Box::new(move || block_on(other.shutdown()))
        }),
        (
            "the folder is locked by another process",
            another_process_holds_the_folder,
        ),
        ("the folder is a file", |world| {
            let disk = world.disk.clone();
            disk.break_for(DiskFault::Replaced, "");
            Box::new(move || disk.mend())
        }),
        ("the folder is a link in a circle", |world| {
            let (path, elsewhere) = (world.disk.path(), world.disk.path().with_extension("x"));
            fs::rename(&path, &elsewhere).unwrap();
            symlink(&path, &path).unwrap();
            Box::new(move || {
                fs::remove_file(&path).unwrap();
                fs::rename(&elsewhere, &path).unwrap();
            })
        }),
        ("the lock is a folder", |world| {
            let lock = world.disk.path().join(".lock");
            fs::remove_file(&lock).unwrap();
            fs::create_dir(&lock).unwrap();
            Box::new(move || fs::remove_dir(&lock).unwrap())
        }),
    ];
    let cells = damages.map(|(name, damage)| {
        let failed = End::Fails(Kind::StorageFailed);
        let cell = cell(Stage::Journal, name, Inject::Folder(damage), failed);
        cell.keeps(Awaiting).seen(1, 1, 0)
    });
    cells.into()
}

//! The records on disk: a file each, so that a damaged one takes no other with it (section 8).

use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, SystemTime};

use fs4::FileExt;
use lnurl_channel_core::{Journal, Stored};

const RECORD: &str = "json";
/// A record that is being written. Left by a crash; safe to delete.
const UNFINISHED: &str = "tmp";
/// A damaged record, kept for whoever looks into it.
const DAMAGED: &str = "damaged";
const LOCK: &str = ".lock";

/// Nothing larger is a record.
const MAX_RECORD_BYTES: u64 = 256 * 1024;
const DAMAGED_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Why the folder cannot be used.
#[derive(Debug)]
pub struct JournalError {
    what: &'static str,
    cause: Option<io::Error>,
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

/// `map_err(because("…"))`
fn because(what: &'static str) -> impl FnOnce(io::Error) -> JournalError {
    move |cause| JournalError {
        what,
        cause: Some(cause),
    }
}

/// Where records are kept.
pub enum Records {
    /// For tests: nothing is kept.
    InMemory,
    InFolder(Folder),
    /// The client was shut down.
    Closed,
}

impl Records {
    /// The journal in `path`, and the records that it holds.
    pub fn open(path: Option<&Path>) -> Result<(Self, Vec<Stored>), JournalError> {
        let Some(path) = path else {
            return Ok((Self::InMemory, Vec::new()));
        };
        create_private_folder(path).map_err(because("the folder cannot be used"))?;
        persist_new_folder(path);
        let folder = Folder {
            path: path.to_owned(),
            lock: lock(path)?,
            process: process::id(),
        };
        let records = folder.read_all()?;
        Ok((Self::InFolder(folder), records))
    }

    /// Let go of the folder. Nothing is written after this.
    pub fn close(&mut self) {
        *self = Self::Closed;
    }
}

impl Journal for Records {
    fn write(&mut self, name: &str, content: &str) -> Result<(), String> {
        match self {
            Self::InMemory => Ok(()),
            Self::InFolder(folder) => folder
                .replace(name, RECORD, content)
                .map_err(|error| error.to_string()),
            Self::Closed => Err("the client was shut down".into()),
        }
    }

    fn remove(&mut self, name: &str) {
        if let Self::InFolder(folder) = self
            && folder.check_ours().is_ok()
        {
            let _ = fs::remove_file(folder.file(name, RECORD));
        }
    }

    fn set_aside(&mut self, name: &str, content: Option<&str>) {
        let Self::InFolder(folder) = self else { return };
        match content {
            // Where the disk is full, the next start tries again.
            Some(content) => {
                if folder.replace(name, DAMAGED, content).is_ok() {
                    let _ = fs::remove_file(folder.file(name, RECORD));
                }
            }
            None => folder.move_aside(name),
        }
    }
}

/// A folder of records, locked while this lives.
pub struct Folder {
    path: PathBuf,
    lock: File,
    /// The process that took the lock. One that was forked from it has a copy of it, and of this.
    process: u32,
}

impl Drop for Folder {
    /// Closing the file is not enough: a process that is just being started may hold a copy of it. A
    /// forked one leaves the lock to its parent.
    fn drop(&mut self) {
        if self.process == process::id() {
            let _ = FileExt::unlock(&self.lock);
        }
    }
}

impl Folder {
    fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.path.join(format!("{name}.{extension}"))
    }

    fn read_all(&self) -> Result<Vec<Stored>, JournalError> {
        let unreadable = || because("the folder cannot be read");
        let mut records = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(unreadable())? {
            let path = entry.map_err(unreadable())?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            let name = path.file_stem().and_then(|name| name.to_str());
            let (Some(extension), Some(name)) = (extension, name) else {
                continue;
            };
            if !is_name_of_a_record(name) {
                continue;
            }
            match extension {
                UNFINISHED => drop(fs::remove_file(&path)),
                DAMAGED if is_older_than(&path, DAMAGED_KEPT) => drop(fs::remove_file(&path)),
                RECORD => records.push(Stored {
                    name: name.to_owned(),
                    // A client that does not know what was asked would ask again: better none.
                    content: read(&path).map_err(because("a record cannot be read"))?,
                }),
                _ => {}
            }
        }
        Ok(records)
    }

    /// Write a file whole, or not at all: what was there before stays until the new one is safe.
    fn replace(&self, name: &str, extension: &str, content: &str) -> Result<(), JournalError> {
        let not_written = || because("the record cannot be written");
        self.check_ours()?;
        let unfinished = self.file(name, UNFINISHED);
        let replaced = write_to_disk(&unfinished, content)
            .and_then(|()| fs::rename(&unfinished, self.file(name, extension)));
        if replaced.is_err() {
            // It may hold secrets, and takes room on a disk that may be full.
            let _ = fs::remove_file(&unfinished);
        }
        replaced.map_err(not_written())?;
        // The new name is safe once its folder is.
        File::open(&self.path)
            .and_then(|folder| folder.sync_all())
            .map_err(not_written())
    }

    /// For what cannot be read: its content may be anything, and of any size.
    fn move_aside(&self, name: &str) {
        let (from, to) = (self.file(name, RECORD), self.file(name, DAMAGED));
        if self.check_ours().is_ok()
            && fs::rename(from, &to).is_ok()
            && fs::symlink_metadata(&to).is_ok_and(|found| found.is_file())
            && let Ok(file) = no_link(OpenOptions::new().write(true)).open(&to)
        {
            // It is kept for a while from now on, however old it is.
            let _ = file.set_modified(SystemTime::now());
        }
    }

    /// Whether nobody else writes to the folder.
    fn check_ours(&self) -> Result<(), JournalError> {
        let what = if self.process != process::id() {
            "this process was forked from the one that uses the folder"
        } else if !self.is_still_locked() {
            "the lock file was taken away; another client may use the folder"
        } else {
            return Ok(());
        };
        Err(JournalError { what, cause: None })
    }

    #[cfg(unix)]
    fn is_still_locked(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let identity = |found: Metadata| (found.dev(), found.ino());
        let found = fs::symlink_metadata(self.path.join(LOCK)).map(identity);
        let held = self.lock.metadata().map(identity);
        matches!((found, held), (Ok(found), Ok(held)) if found == held)
    }

    #[cfg(not(unix))]
    fn is_still_locked(&self) -> bool {
        self.path.join(LOCK).exists()
    }
}

/// The content of a record; none where it is no record that can be.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // Looked at before it is opened, which may change the state of what is no file.
    if !could_be_a_record(&fs::symlink_metadata(path)?) {
        return Ok(None);
    }
    let file = no_link(OpenOptions::new().read(true)).open(path)?;
    if !could_be_a_record(&file.metadata()?) {
        return Ok(None);
    }
    let mut content = Vec::new();
    file.take(MAX_RECORD_BYTES + 1).read_to_end(&mut content)?;
    let fits = content.len() as u64 <= MAX_RECORD_BYTES;
    Ok(fits.then_some(content))
}

fn could_be_a_record(found: &Metadata) -> bool {
    found.is_file() && found.len() <= MAX_RECORD_BYTES
}

fn is_older_than(path: &Path, age: Duration) -> bool {
    let modified = fs::symlink_metadata(path).and_then(|found| found.modified());
    let elapsed = modified.map(|modified| SystemTime::now().duration_since(modified));
    matches!(elapsed, Ok(Ok(elapsed)) if elapsed > age)
}

fn write_to_disk(path: &Path, content: &str) -> io::Result<()> {
    let create = || private(OpenOptions::new().write(true).create_new(true)).open(path);
    let mut file = match create() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create()?
        }
        created => created?,
    };
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

/// The folder may hold files of others, by mistake. Ours are those of a request, of a peer, and 0.1's of
/// the channels that nobody asked for.
fn is_name_of_a_record(name: &str) -> bool {
    let is_hex = || name.bytes().all(|byte| byte.is_ascii_hexdigit());
    name == "unrequested-channels" || (matches!(name.len(), 32 | 66) && is_hex())
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let not_locked = || because("the folder cannot be locked");
    let mut options = OpenOptions::new();
    let options = no_link(private(options.write(true).create(true).truncate(false)));
    let file = options.open(path.join(LOCK)).map_err(not_locked())?;
    if !file.metadata().map_err(not_locked())?.is_file() {
        return Err(JournalError {
            what: "the folder cannot be locked: its lock is no file",
            cause: None,
        });
    }
    // Not `File::try_lock` of the standard library: on Android it is unsupported.
    match FileExt::try_lock(&file) {
        Ok(()) => Ok(file),
        Err(fs4::TryLockError::WouldBlock) => Err(JournalError {
            what: "another client uses the folder; `shutdown` that one first",
            cause: None,
        }),
        Err(fs4::TryLockError::Error(error)) => Err(not_locked()(error)),
    }
}

#[cfg(unix)]
fn create_private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn create_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(path)
}

/// A new folder survives a power cut once the one that it is in was synced. Best effort: an app may not
/// be allowed to open that.
fn persist_new_folder(path: &Path) {
    let parent = path.parent().and_then(|parent| File::open(parent).ok());
    let _ = parent.map(|parent| parent.sync_all());
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Opens no link, and waits for no other end of a pipe.
fn no_link(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const ID: &str = "00112233445566778899aabbccddeeff";
    const OTHER_ID: &str = "ffeeddccbbaa99887766554433221100";
    const PEER: &str = "02864ef025fde8fb587d989186ce6a4a186895ee44a926bfc370e2c366597a3f8f";
    const UNREQUESTED_CHANNELS: &str = "unrequested-channels";

    fn open(folder: &TempDir) -> (Records, Vec<Stored>) {
        let (journal, mut records) = Records::open(Some(folder.path())).unwrap();
        records.sort_by(|a, b| a.name.cmp(&b.name));
        (journal, records)
    }

    fn stored(name: &str, content: &str) -> Stored {
        Stored {
            name: name.into(),
            content: Some(content.into()),
        }
    }

    fn unreadable(name: &str) -> Stored {
        Stored {
            name: name.into(),
            content: None,
        }
    }

    fn record(folder: &TempDir, name: &str) -> PathBuf {
        folder.path().join(format!("{name}.json"))
    }

    fn files(folder: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn why_not(result: Result<(Records, Vec<Stored>), JournalError>) -> String {
        match result {
            Ok(_) => panic!("the folder was opened"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn records_that_were_written_are_read_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, records) = open(&folder);
        assert_eq!(records, []);
        for (name, content) in [
            (ID, "the first"),
            (PEER, "verdicts"),
            (UNREQUESTED_CHANNELS, "none"),
            (ID, "the last"),
        ] {
            assert_eq!(journal.write(name, content), Ok(()));
        }
        drop(journal);
        let expected = [
            stored(ID, "the last"),
            stored(PEER, "verdicts"),
            stored(UNREQUESTED_CHANNELS, "none"),
        ];
        assert_eq!(open(&folder).1, expected);
    }

    #[test]
    fn a_removed_record_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(&folder);
        journal.write(ID, "x").unwrap();
        journal.remove(ID);
        journal.remove(OTHER_ID);
        assert_eq!(files(&folder), [LOCK]);
    }

    #[test]
    fn a_record_that_is_set_aside_has_its_new_content_only() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(&folder);
        journal.write(ID, "a secret").unwrap();
        journal.set_aside(ID, Some("redacted"));
        drop(journal);
        assert_eq!(open(&folder).1, []);
        let aside = format!("{ID}.damaged");
        assert_eq!(files(&folder), [LOCK, &aside]);
        let content = fs::read_to_string(folder.path().join(aside)).unwrap();
        assert_eq!(content, "redacted");
    }

    #[test]
    fn damaged_records_are_kept_for_30_days() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(&folder);
        let damaged = |name| folder.path().join(format!("{name}.damaged"));
        journal.write(ID, "old").unwrap();
        journal.set_aside(ID, Some("old"));
        journal.write(OTHER_ID, "moved").unwrap();
        let age = |path: &Path, seconds| {
            let file = OpenOptions::new().write(true).open(path).unwrap();
            let modified = SystemTime::now() - Duration::from_secs(seconds);
            file.set_modified(modified).unwrap();
        };
        const DAY: u64 = 24 * 60 * 60;
        // A file keeps its age when it is moved.
        age(&record(&folder, OTHER_ID), 31 * DAY);
        journal.set_aside(OTHER_ID, None);
        age(&damaged(ID), 29 * DAY);
        drop(journal);
        drop(open(&folder));
        assert!(damaged(ID).exists() && damaged(OTHER_ID).exists());
        age(&damaged(ID), 31 * DAY);
        drop(open(&folder));
        assert!(!damaged(ID).exists() && damaged(OTHER_ID).exists());
    }

    #[test]
    fn half_a_record_is_removed_and_files_of_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let not_hex = "z".repeat(32);
        let of_others = [
            "0123abcd.json".to_owned(),
            "download.tmp".to_owned(),
            "settings.json".to_owned(),
            format!("{not_hex}.json"),
            format!("{not_hex}.tmp"),
        ];
        let ours = [ID, PEER, UNREQUESTED_CHANNELS].map(|name| format!("{name}.tmp"));
        for name in of_others.iter().chain(&ours) {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        assert_eq!(open(&folder).1, []);
        assert_eq!(files(&folder)[0], LOCK);
        assert_eq!(files(&folder)[1..], of_others);
    }

    #[test]
    fn a_record_of_256_kib_is_read_and_a_larger_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let largest = "x".repeat(256 * 1024);
        fs::write(record(&folder, ID), &largest).unwrap();
        fs::write(record(&folder, OTHER_ID), format!("{largest}x")).unwrap();
        let (mut journal, records) = open(&folder);
        assert_eq!(records, [stored(ID, &largest), unreadable(OTHER_ID)]);
        journal.set_aside(OTHER_ID, None);
        drop(journal);
        assert_eq!(open(&folder).1, [stored(ID, &largest)]);
    }

    #[test]
    fn a_folder_in_the_place_of_a_record_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(record(&folder, ID)).unwrap();
        fs::write(record(&folder, OTHER_ID), "x").unwrap();
        let (mut journal, records) = open(&folder);
        assert_eq!(records, [unreadable(ID), stored(OTHER_ID, "x")]);
        journal.set_aside(ID, None);
        assert_eq!(journal.write(ID, "x"), Ok(()));
    }

    #[test]
    fn one_journal_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(&folder);
        let reason = why_not(Records::open(Some(folder.path())));
        assert!(reason.starts_with("another client"), "{reason}");
        journal.close();
        assert!(journal.write(ID, "late").is_err());
        let (next, records) = open(&folder);
        assert_eq!(records, [], "a closed journal writes nothing");
        let Records::InFolder(opened) = &next else {
            panic!("not in the folder");
        };
        // As a process holds it that is being started meanwhile.
        let copy = opened.lock.try_clone().unwrap();
        drop(next);
        open(&folder);
        drop(copy);
    }

    #[test]
    fn a_folder_that_fails_is_told() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("requests");
        let (mut journal, _) = Records::open(Some(&path)).unwrap();
        fs::remove_dir_all(&path).unwrap();
        assert!(journal.write(ID, "x").is_err());
        fs::write(&path, "a file").unwrap();
        let reason = why_not(Records::open(Some(&path)));
        assert!(
            reason.starts_with("the folder cannot be used: "),
            "{reason}"
        );
    }

    #[test]
    fn in_memory_everything_succeeds_and_nothing_is_kept() {
        let (mut journal, records) = Records::open(None).unwrap();
        assert_eq!(records, []);
        assert_eq!(journal.write(ID, "x"), Ok(()));
        journal.set_aside(ID, None);
        journal.remove(ID);
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{PermissionsExt, symlink};
        use std::process::{Command, Stdio};

        use super::*;

        /// Done in a process that is forked from this one; whether `is_right` there.
        fn in_a_fork(is_right: impl FnOnce() -> bool) -> bool {
            // Safety: the child calls nothing of the other threads, which it does not have, and ends
            // without running what this process would run at its end.
            match unsafe { libc::fork() } {
                0 => unsafe { libc::_exit(i32::from(!is_right())) },
                child => {
                    let mut status = -1;
                    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
                    status == 0
                }
            }
        }

        #[test]
        fn a_forked_process_writes_nothing_and_leaves_the_lock() {
            let folder = tempfile::tempdir().unwrap();
            let (mut journal, _) = open(&folder);
            journal.write(ID, "x").unwrap();
            let is_right = in_a_fork(|| {
                let written = journal.write(OTHER_ID, "x");
                journal.remove(ID);
                journal.set_aside(ID, None);
                journal.set_aside(ID, Some("y"));
                journal.close();
                written.is_err_and(|why| why.starts_with("this process was forked"))
            });
            assert!(is_right);
            assert!(Records::open(Some(folder.path())).is_err(), "it is locked");
            journal.write(OTHER_ID, "x").unwrap();
            journal.close();
            let (_, records) = open(&folder);
            assert_eq!(records, [stored(ID, "x"), stored(OTHER_ID, "x")]);
        }

        fn make_pipe(path: &Path) {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        }

        #[test]
        fn the_folder_and_its_files_are_private() {
            let parent = tempfile::tempdir().unwrap();
            let path = parent.path().join("app/requests");
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            for _ in ["an open folder", "none yet"] {
                let (mut journal, _) = Records::open(Some(&path)).unwrap();
                journal.write(ID, "x").unwrap();
                assert_eq!(mode(&path), 0o700);
                assert_eq!(mode(&path.join(LOCK)), 0o600);
                assert_eq!(mode(&path.join(format!("{ID}.json"))), 0o600);
                fs::remove_dir_all(&path).unwrap();
            }
        }

        #[test]
        fn links_and_pipes_are_no_records() {
            let folder = tempfile::tempdir().unwrap();
            let elsewhere = tempfile::tempdir().unwrap();
            let target = elsewhere.path().join("target");
            fs::write(&target, "of another").unwrap();
            symlink(&target, record(&folder, ID)).unwrap();
            symlink("nowhere", record(&folder, PEER)).unwrap();
            make_pipe(&record(&folder, OTHER_ID));
            let (mut journal, records) = open(&folder);
            assert_eq!(records, [ID, PEER, OTHER_ID].map(unreadable));
            for name in [ID, PEER, OTHER_ID] {
                journal.set_aside(name, None);
                journal.write(name, "ours").unwrap();
            }
            drop(journal);
            let ours = [ID, PEER, OTHER_ID].map(|name| stored(name, "ours"));
            assert_eq!(open(&folder).1, ours);
            assert_eq!(fs::read_to_string(&target).unwrap(), "of another");
        }

        #[test]
        fn a_record_is_written_through_no_link_and_into_no_pipe() {
            let folder = tempfile::tempdir().unwrap();
            let elsewhere = tempfile::tempdir().unwrap();
            let target = elsewhere.path().join("target");
            fs::write(&target, "of another").unwrap();
            let (mut journal, _) = open(&folder);
            symlink(&target, record(&folder, ID)).unwrap();
            symlink(&target, folder.path().join(format!("{ID}.tmp"))).unwrap();
            make_pipe(&folder.path().join(format!("{PEER}.tmp")));
            for name in [ID, PEER] {
                journal.write(name, "ours").unwrap();
                assert_eq!(fs::read_to_string(record(&folder, name)).unwrap(), "ours");
                assert!(
                    fs::symlink_metadata(record(&folder, name))
                        .unwrap()
                        .is_file()
                );
            }
            assert_eq!(fs::read_to_string(&target).unwrap(), "of another");
        }

        /// A client that does not know what was asked would ask again.
        #[test]
        #[cfg(target_os = "linux")]
        fn a_record_that_cannot_be_read_is_no_empty_one() {
            // A regular file whose first byte cannot be read, by nobody.
            assert!(read(Path::new("/proc/self/mem")).is_err());
        }

        /// Its size is known only once it has been read.
        #[test]
        #[cfg(target_os = "linux")]
        fn a_file_that_holds_more_than_its_size_tells_is_no_record() {
            // A file of the system with the words of a command, as long as those are.
            let words = "x".repeat(100 * 1024);
            for (count, is_record) in [(1, true), (3, false)] {
                let mut command = Command::new("sh")
                    .args(["-c", "echo; read line", "sh"])
                    .args(vec![&words; count])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap();
                // It runs, and has its words.
                let told = command.stdout.as_mut().unwrap();
                told.read_exact(&mut [0]).unwrap();
                let file = PathBuf::from(format!("/proc/{}/cmdline", command.id()));
                let content = read(&file).unwrap();
                drop(command.stdin.take());
                command.wait().unwrap();
                assert_eq!(content.is_some(), is_record, "{count}");
                assert!(content.is_none_or(|content| content.len() > words.len()));
            }
        }

        #[test]
        #[cfg(target_os = "linux")]
        fn a_record_that_cannot_be_created_is_told_why() {
            // Nobody can create a file among the terminals.
            let error = write_to_disk(Path::new("/dev/pts/record.tmp"), "x").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }

        #[test]
        fn a_lock_that_is_a_link_or_a_pipe_is_refused() {
            let folder = tempfile::tempdir().unwrap();
            let lock = folder.path().join(LOCK);
            symlink(folder.path().join("elsewhere"), &lock).unwrap();
            let reason = why_not(Records::open(Some(folder.path())));
            assert!(
                reason.starts_with("the folder cannot be locked"),
                "{reason}"
            );
            assert_eq!(files(&folder), [LOCK]);
            fs::remove_file(&lock).unwrap();
            make_pipe(&lock);
            let reason = why_not(Records::open(Some(folder.path())));
            assert!(
                reason.starts_with("the folder cannot be locked"),
                "{reason}"
            );
        }

        #[test]
        fn a_write_that_fails_leaves_no_secret() {
            let folder = tempfile::tempdir().unwrap();
            let (mut journal, _) = open(&folder);
            fs::create_dir(record(&folder, ID)).unwrap();
            let reason = journal.write(ID, "a secret").unwrap_err();
            assert!(
                reason.starts_with("the record cannot be written: "),
                "{reason}"
            );
            assert_eq!(files(&folder), [LOCK, &format!("{ID}.json")]);
        }

        #[test]
        fn without_its_lock_file_a_journal_writes_nothing() {
            let folder = tempfile::tempdir().unwrap();
            let (mut journal, _) = open(&folder);
            journal.write(ID, "first").unwrap();
            fs::remove_file(folder.path().join(LOCK)).unwrap();
            let (mut next, records) = open(&folder);
            assert_eq!(records, [stored(ID, "first")]);
            let reason = journal.write(ID, "late").unwrap_err();
            assert!(
                reason.starts_with("the lock file was taken away"),
                "{reason}"
            );
            assert_eq!(next.write(ID, "second"), Ok(()));
            journal.remove(ID);
            journal.set_aside(ID, None);
            drop((journal, next));
            assert_eq!(open(&folder).1, [stored(ID, "second")]);
        }
    }
}

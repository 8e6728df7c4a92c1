//! The requests on disk: one record each, so that a damaged one takes no other with it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use fs4::FileExt;

use crate::flow::LnurlChannelError;

const RECORD: &str = "json";
/// The record of the channels that nobody asked for. All others are of a request, named by its id.
pub const UNREQUESTED_CHANNELS: &str = "unrequested-channels";
/// A record that is being written; left behind only by a crash.
const UNFINISHED: &str = "tmp";
/// A record that could not be read, kept for whoever looks into it.
const DAMAGED: &str = "damaged";
const LOCK: &str = ".lock";

/// A record's name and content.
pub type Stored = (String, Vec<u8>);

/// A folder of records, locked while this lives; in memory nothing is kept.
pub struct Journal {
    folder: Option<Folder>,
}

struct Folder {
    path: PathBuf,
    lock: File,
}

impl Drop for Folder {
    /// Closing the file would not do: a process that is just being started may hold a copy of it.
    fn drop(&mut self) {
        let _ = FileExt::unlock(&self.lock);
    }
}

impl Journal {
    /// The journal in `path`, and what it holds: names and contents of its records.
    pub fn open(path: Option<&Path>) -> Result<(Self, Vec<Stored>), LnurlChannelError> {
        let Some(path) = path else {
            return Ok((Self { folder: None }, Vec::new()));
        };
        create_private_folder(path).map_err(|error| failed("the folder cannot be used", &error))?;
        keep_folder(path);
        let lock = lock(path)?;
        let folder = Folder {
            path: path.to_owned(),
            lock,
        };
        let records = folder
            .read_all()
            .map_err(|error| failed("the folder cannot be read", &error))?;
        Ok((
            Self {
                folder: Some(folder),
            },
            records,
        ))
    }

    /// Write a record whole, or not at all: what was there before stays until the new one is safe.
    pub fn write(&self, name: &str, content: &str) -> Result<(), LnurlChannelError> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        folder
            .replace(name, content)
            .map_err(|error| failed("the record cannot be written", &error))
    }

    /// Whether there is such a record, readable or not.
    pub fn has(&self, name: &str) -> bool {
        let folder = self.folder.as_ref();
        folder.is_some_and(|folder| folder.file(name, RECORD).exists())
    }

    /// What can't be removed now is, after the next start.
    pub fn remove(&self, name: &str) {
        if let Some(folder) = &self.folder {
            let _ = fs::remove_file(folder.file(name, RECORD));
        }
    }

    /// Keep a record that can't be read, out of the way.
    pub fn set_aside(&self, name: &str) {
        if let Some(folder) = &self.folder {
            let _ = fs::rename(folder.file(name, RECORD), folder.file(name, DAMAGED));
        }
    }

    /// Let go of the folder. Nothing is written after this.
    pub fn close(&mut self) {
        self.folder = None;
    }
}

impl Folder {
    fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.path.join(format!("{name}.{extension}"))
    }

    fn read_all(&self) -> io::Result<Vec<Stored>> {
        let mut records = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            let name = path.file_stem().and_then(|name| name.to_str());
            match (extension, name) {
                (_, Some(name)) if !is_of_the_journal(name) => {}
                // It takes room, and no more than that.
                (Some(UNFINISHED), _) => drop(fs::remove_file(&path)),
                // One that can't be read now, as on a phone that was not unlocked yet, can be
                // later, and is no reason to lose the others.
                (Some(RECORD), Some(name)) => {
                    records.extend(fs::read(&path).map(|content| (name.to_owned(), content)));
                }
                _ => {}
            }
        }
        Ok(records)
    }

    fn replace(&self, name: &str, content: &str) -> io::Result<()> {
        let unfinished = self.file(name, UNFINISHED);
        let replaced = write_to_disk(&unfinished, content)
            .and_then(|()| fs::rename(&unfinished, self.file(name, RECORD)));
        // It may hold secrets, and takes room on a disk that may be full. What is no file is not ours.
        if replaced.is_err() && fs::symlink_metadata(&unfinished).is_ok_and(|found| found.is_file())
        {
            let _ = fs::remove_file(&unfinished);
        }
        replaced?;
        // The new name is safe once its folder is.
        File::open(&self.path)?.sync_all()
    }
}

fn write_to_disk(path: &Path, content: &str) -> io::Result<()> {
    let mut file = private_file().truncate(true).open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

/// The folder may hold files of others, by mistake.
fn is_of_the_journal(name: &str) -> bool {
    name == UNREQUESTED_CHANNELS
        || (name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn lock(path: &Path) -> Result<File, LnurlChannelError> {
    let file = private_file().open(path.join(LOCK));
    let file = file.map_err(|error| failed("the folder cannot be written", &error))?;
    // Not `File::try_lock` of the standard library: on Android it is unsupported.
    FileExt::try_lock(&file).map_err(|error| match error {
        fs4::TryLockError::WouldBlock => LnurlChannelError::StorageFailed {
            reason: "another client uses the folder; `shutdown` that one first".into(),
        },
        fs4::TryLockError::Error(error) => failed("the folder cannot be locked", &error),
    })?;
    Ok(file)
}

fn failed(what: &str, error: &io::Error) -> LnurlChannelError {
    LnurlChannelError::StorageFailed {
        reason: format!("{what}: {error}"),
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

/// A new folder outlives a power cut once the one that it is in is safe. Best effort: an app may not
/// be allowed to open that.
fn keep_folder(path: &Path) {
    let parent = path.parent().and_then(|parent| File::open(parent).ok());
    let _ = parent.map(|parent| parent.sync_all());
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const ID: &str = "00112233445566778899aabbccddeeff";
    const OTHER_ID: &str = "ffeeddccbbaa99887766554433221100";

    fn open(folder: &TempDir) -> (Journal, Vec<Stored>) {
        let (journal, mut records) = Journal::open(Some(folder.path())).unwrap();
        records.sort();
        (journal, records)
    }

    fn stored(name: &str, content: &str) -> Stored {
        (name.into(), content.into())
    }

    fn files(folder: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn is_storage_failed<T>(result: Result<T, LnurlChannelError>) -> bool {
        matches!(result, Err(LnurlChannelError::StorageFailed { .. }))
    }

    #[test]
    fn what_is_written_is_there_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, records) = open(&folder);
        assert!(records.is_empty());
        for (name, content) in [
            (ID, "the first"),
            (OTHER_ID, "other"),
            (UNREQUESTED_CHANNELS, "none"),
            (ID, "last"),
        ] {
            assert_eq!(journal.write(name, content), Ok(()));
        }
        drop(journal);
        let (_journal, records) = open(&folder);
        let expected = [
            stored(ID, "last"),
            stored(OTHER_ID, "other"),
            stored(UNREQUESTED_CHANNELS, "none"),
        ];
        assert_eq!(records, expected);
    }

    #[test]
    fn what_is_removed_is_gone_and_what_is_set_aside_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = open(&folder);
        assert!(!journal.has(ID));
        journal.write(ID, "old").unwrap();
        journal.write(OTHER_ID, "damaged").unwrap();
        assert!(journal.has(ID));
        journal.remove(ID);
        assert!(!journal.has(ID));
        journal.set_aside(OTHER_ID);
        drop(journal);
        let (_journal, records) = open(&folder);
        assert!(records.is_empty());
        let aside = format!("{OTHER_ID}.damaged");
        assert_eq!(files(&folder), [LOCK, &aside]);
        assert_eq!(fs::read(folder.path().join(aside)).unwrap(), b"damaged");
    }

    #[test]
    fn half_a_record_is_cleared_away_and_files_of_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let not_hex = "z".repeat(32);
        let of_others = [
            "0123abcd.json".to_owned(),
            "download.tmp".to_owned(),
            "settings.json".to_owned(),
            format!("{not_hex}.json"),
            format!("{not_hex}.tmp"),
        ];
        let ours = [ID, UNREQUESTED_CHANNELS].map(|name| format!("{name}.tmp"));
        for name in of_others.iter().chain(&ours) {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        assert_eq!(open(&folder).1, []);
        assert_eq!(files(&folder)[0], LOCK);
        assert_eq!(files(&folder)[1..], of_others);
    }

    #[test]
    fn a_record_that_cannot_be_read_stops_no_other() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(format!("{ID}.json"))).unwrap();
        fs::write(folder.path().join(format!("{OTHER_ID}.json")), "x").unwrap();
        assert_eq!(open(&folder).1, [stored(OTHER_ID, "x")]);
    }

    #[test]
    #[cfg(unix)]
    fn what_fails_to_be_written_leaves_nothing_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = open(&folder);
        let (record, unfinished) = (format!("{ID}.json"), format!("{ID}.tmp"));
        fs::create_dir(folder.path().join(&record)).unwrap();
        assert!(is_storage_failed(journal.write(ID, "a secret")));
        assert_eq!(files(&folder), [LOCK, &record]);
        let link = folder.path().join(&unfinished);
        std::os::unix::fs::symlink(&link, &link).unwrap();
        assert!(is_storage_failed(journal.write(ID, "a secret")));
        assert_eq!(files(&folder), [LOCK, &record, &unfinished]);
    }

    #[test]
    fn one_journal_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(&folder);
        assert!(is_storage_failed(Journal::open(Some(folder.path()))));
        journal.close();
        assert_eq!(journal.write(ID, "late"), Ok(()));
        let (next, records) = open(&folder);
        assert!(records.is_empty(), "a closed journal writes nothing");
        // As a process holds it that is being started meanwhile.
        let copy = next.folder.as_ref().unwrap().lock.try_clone().unwrap();
        drop(next);
        open(&folder);
        drop(copy);
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_and_its_files_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("app/requests");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        for _ in ["an open folder", "none yet"] {
            let (journal, _) = Journal::open(Some(&path)).unwrap();
            journal.write(ID, "x").unwrap();
            assert_eq!(mode(&path), 0o700);
            assert_eq!(mode(&path.join(LOCK)), 0o600);
            assert_eq!(mode(&path.join(format!("{ID}.json"))), 0o600);
            fs::remove_dir_all(&path).unwrap();
        }
    }

    #[test]
    fn a_folder_that_fails_is_told() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("requests");
        let (journal, _) = Journal::open(Some(&path)).unwrap();
        fs::remove_dir_all(&path).unwrap();
        assert!(is_storage_failed(journal.write(ID, "x")));
        fs::write(&path, "a file").unwrap();
        assert!(is_storage_failed(Journal::open(Some(&path))));
    }

    #[test]
    fn in_memory_everything_succeeds_and_nothing_is_kept() {
        let (journal, records) = Journal::open(None).unwrap();
        assert!(records.is_empty());
        assert_eq!(journal.write(ID, "x"), Ok(()));
        journal.set_aside(ID);
        journal.remove(ID);
        assert!(Journal::open(None).unwrap().1.is_empty());
    }
}

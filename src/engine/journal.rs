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
        let mut file = private_file().truncate(true).open(&unfinished)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, self.file(name, RECORD))?;
        // The new name is safe once its folder is.
        File::open(&self.path)?.sync_all()
    }
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

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

//! A client's folder, and what can befall it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;

use super::support::folder_in_memory;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// A file stands where the folder was.
    Replaced,
    /// The folder has gone.
    Removed,
    /// A folder stands where the record is to be written.
    FolderInTheWay,
    /// A folder stands where the record is to be put.
    RecordIsFolder,
    /// The lock file was taken away.
    LockTakenAway,
    /// The whole file system is full. Needs root.
    FileSystemFull,
    /// The folder lies on a file system that is read-only. Needs root.
    FileSystemReadOnly,
}

impl DiskFault {
    pub const ALL: [DiskFault; 7] = [
        DiskFault::Replaced,
        DiskFault::Removed,
        DiskFault::FolderInTheWay,
        DiskFault::RecordIsFolder,
        DiskFault::LockTakenAway,
        DiskFault::FileSystemFull,
        DiskFault::FileSystemReadOnly,
    ];

    fn needs_mount(self) -> bool {
        matches!(self, Self::FileSystemFull | Self::FileSystemReadOnly)
    }
}

pub struct Disk {
    outer: TempDir,
    mounted: bool,
    broken: Mutex<Option<(DiskFault, String)>>,
}

impl Disk {
    pub fn plain() -> Disk {
        Disk {
            outer: folder_in_memory(),
            mounted: false,
            broken: Mutex::default(),
        }
    }

    /// A folder on which `fault` can be injected, if this machine lets us.
    pub fn for_fault(fault: DiskFault) -> Result<Disk, String> {
        let mut disk = Disk::plain();
        if fault.needs_mount() {
            let path = disk.outer.path().to_owned();
            run("mount", &["-t", "tmpfs", "-o", "size=256k", "tmpfs"], &path)?;
            disk.mounted = true;
        }
        Ok(disk)
    }

    pub fn path(&self) -> PathBuf {
        self.outer.path().join("requests")
    }

    pub fn file(&self, request_id: &str, extension: &str) -> PathBuf {
        self.path().join(format!("{request_id}.{extension}"))
    }

    fn elsewhere(&self) -> PathBuf {
        self.outer.path().join("elsewhere")
    }

    pub fn break_for(&self, fault: DiskFault, request_id: &str) {
        let unfinished = self.file(request_id, "tmp");
        match fault {
            DiskFault::Replaced => {
                fs::rename(self.path(), self.elsewhere()).unwrap();
                fs::write(self.path(), "").unwrap();
            }
            DiskFault::Removed => fs::rename(self.path(), self.elsewhere()).unwrap(),
            DiskFault::FolderInTheWay => fs::create_dir(unfinished).unwrap(),
            DiskFault::LockTakenAway => {
                fs::rename(self.path().join(".lock"), self.elsewhere()).unwrap();
            }
            DiskFault::RecordIsFolder => {
                let record = self.file(request_id, "json");
                // There is none before the first write.
                let _ = fs::rename(&record, self.elsewhere());
                fs::create_dir_all(record.join("inner")).unwrap();
            }
            DiskFault::FileSystemFull => {
                let filler = self.outer.path().join("filler");
                fs::write(filler, vec![0; 1024 * 1024]).expect_err("it is full now");
            }
            DiskFault::FileSystemReadOnly => {
                let options = ["-t", "tmpfs", "-o", "ro", "tmpfs"];
                run("mount", &options, &self.path()).unwrap();
            }
        }
        *self.broken.lock().unwrap() = Some((fault, request_id.to_owned()));
    }

    pub fn mend(&self) {
        let Some((fault, request_id)) = self.broken.lock().unwrap().take() else {
            return;
        };
        let unfinished = self.file(&request_id, "tmp");
        match fault {
            DiskFault::Replaced => {
                fs::remove_file(self.path()).unwrap();
                fs::rename(self.elsewhere(), self.path()).unwrap();
            }
            DiskFault::Removed => fs::rename(self.elsewhere(), self.path()).unwrap(),
            DiskFault::FolderInTheWay => fs::remove_dir(unfinished).unwrap(),
            DiskFault::LockTakenAway => {
                fs::rename(self.elsewhere(), self.path().join(".lock")).unwrap();
            }
            DiskFault::RecordIsFolder => {
                let record = self.file(&request_id, "json");
                fs::remove_dir_all(&record).unwrap();
                let _ = fs::rename(self.elsewhere(), record);
            }
            DiskFault::FileSystemFull => {
                fs::remove_file(self.outer.path().join("filler")).unwrap();
            }
            DiskFault::FileSystemReadOnly => run("umount", &[], &self.path()).unwrap(),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily: a client may hold its lock for a moment yet.
            let _ = run("umount", &["-l"], self.outer.path());
        }
    }
}

fn run(program: &str, arguments: &[&str], path: &Path) -> Result<(), String> {
    let mut command = Command::new(program);
    let command = command.args(arguments).arg(path).stderr(Stdio::null());
    let done = command.status().is_ok_and(|status| status.success());
    done.then_some(())
        .ok_or_else(|| format!("{program} needs root"))
}

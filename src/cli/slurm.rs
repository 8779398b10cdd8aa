//! `convscope slurm`: writes the job scripts that run an experiment in parts under Slurm, an array of tasks and a job that
//! joins their parts; and submits them.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use convscope::plan::Plan;
use convscope::results::store;
use convscope::run::{Part, missing_parts};
use convscope::{Error, ErrorKind, Result};

use super::exit_status::{Status, print};
use super::run::for_each_experiment;
use super::run_settings::RunSettings;
use super::terminal::TerminalProgress;

/// The folder of the scripts and logs, in an experiment's output folder.
const FOLDER: &str = "slurm";
/// The script of the tasks of the array.
const PART_SCRIPT: &str = "part.sh";
/// The script of the job that joins the parts.
const MERGE_SCRIPT: &str = "merge.sh";

#[derive(Debug, clap::Args)]
pub struct SlurmArgs {
    /// The experiment file.
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    #[command(flatten)]
    settings: RunSettings,
    /// The number of parts, each a task of the array.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    tasks: u32,
    /// Submit the jobs and print their ids. Parts that are complete are not run again.
    #[arg(long)]
    submit: bool,
    /// The partition of the jobs.
    #[arg(long)]
    partition: Option<String>,
    /// The time limit of each task: `30`, `2:00:00`, `1-0`.
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// The generic resources of each task, `gpu:1`; use `--device cuda` with it.
    #[arg(long)]
    gres: Option<String>,
    /// The processors of each task.
    #[arg(long, value_name = "N")]
    cpus_per_task: Option<u32>,
    /// The memory of each task: `8G`.
    #[arg(long, value_name = "SIZE")]
    mem: Option<String>,
    /// Another option of sbatch for all jobs: `--sbatch=--account=vision`.
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    sbatch: Vec<String>,
}

impl SlurmArgs {
    /// Writes the scripts of the experiment, and submits them if asked to.
    pub fn run(&self, progress: &TerminalProgress) -> Result<Status> {
        for_each_experiment(
            std::slice::from_ref(&self.spec),
            &self.settings,
            progress,
            |path, folder| self.write_scripts(path, folder, progress),
        )
    }

    fn write_scripts(
        &self,
        path: &Path,
        folder: &Path,
        progress: &TerminalProgress,
    ) -> Result<Status> {
        let spec = self.settings.read_spec(path)?;
        let plan = Plan::new(&spec, &self.settings.options().cache()?, progress)?;
        let count = self.tasks as usize;
        let missing = if self.settings.no_cache {
            let parts = (1..=count).filter_map(|number| Part::new(number, count));
            parts.collect()
        } else {
            missing_parts(&plan, folder, count)?
        };
        progress.finish();
        let scripts = absolute(&folder.join(FOLDER))?;
        let _prepared = store::prepare_folder(&scripts)?;
        let part = self.part_script(path, &scripts, &missing)?;
        let merge = self.merge_script(path, &scripts)?;
        let files = [
            (PART_SCRIPT, part.as_bytes()),
            (MERGE_SCRIPT, merge.as_bytes()),
        ];
        store::write(&scripts, &files)?;
        let (part, merge) = (scripts.join(PART_SCRIPT), scripts.join(MERGE_SCRIPT));
        let done = count - missing.len();
        let mut text = String::new();
        if done > 0 {
            let _ = writeln!(text, "complete already: {done} of {count} parts");
        }
        if self.submit {
            let array = match missing[..] {
                [] => None,
                _ => Some(sbatch(&[part.as_os_str().to_owned()])?),
            };
            let mut arguments = Vec::new();
            if let Some(id) = &array {
                let _ = writeln!(text, "array: {id} ({} tasks)", missing.len());
                arguments.push(format!("--dependency=afterok:{id}").into());
                arguments.push("--kill-on-invalid-dep=yes".into());
            }
            arguments.push(merge.into_os_string());
            let _ = writeln!(text, "merge: {}", sbatch(&arguments)?);
            let _ = writeln!(text, "logs: {}", scripts.display());
        } else {
            if !missing.is_empty() {
                let _ = writeln!(text, "id=$(sbatch --parsable {})", quoted(&part));
                text.push_str("sbatch --dependency=afterok:$id --kill-on-invalid-dep=yes ");
            } else {
                text.push_str("sbatch ");
            }
            let _ = writeln!(text, "{}", quoted(&merge));
        }
        print(&text)
    }

    fn part_script(&self, spec: &Path, folder: &Path, missing: &[Part]) -> Result<String> {
        let numbers: Vec<usize> = missing.iter().map(|part| part.number()).collect();
        let mut script = self.header("part", folder, "part-%a.log")?;
        if !numbers.is_empty() {
            let _ = writeln!(script, "#SBATCH --array={}", ranges(&numbers));
        }
        // A task whose node fails, or that is stopped, goes on from its part's last state.
        script.push_str(
            "#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --signal=B:TERM@60\n",
        );
        let part = format!("--part \"$SLURM_ARRAY_TASK_ID/{}\"", self.tasks);
        self.add_command(&mut script, "run", spec, &part)?;
        Ok(script)
    }

    fn merge_script(&self, spec: &Path, folder: &Path) -> Result<String> {
        let mut script = self.header("merge", folder, "merge.log")?;
        self.add_command(&mut script, "merge", spec, "")?;
        Ok(script)
    }

    /// The first lines of a script.
    fn header(&self, what: &str, folder: &Path, log: &str) -> Result<String> {
        let current = std::env::current_dir()
            .map_err(|error| Error::io("find", Path::new("the current folder"), error))?;
        let stem = self.spec.file_stem().unwrap_or_default().to_string_lossy();
        let mut lines = vec![
            format!("--job-name={stem}-{what}"),
            format!("--chdir={}", current.display()),
            format!("--output={}", folder.join(log).display()),
        ];
        let options = [
            ("partition", self.partition.clone()),
            ("time", self.time.clone()),
            ("gres", self.gres.clone()),
            ("cpus-per-task", self.cpus_per_task.map(|n| n.to_string())),
            ("mem", self.mem.clone()),
        ];
        let options = options.into_iter();
        lines.extend(options.filter_map(|(key, value)| Some(format!("--{key}={}", value?))));
        lines.extend(self.sbatch.iter().cloned());
        let mut script = "#!/bin/sh\n".to_owned();
        for line in lines {
            if line.contains(['\n', '"']) {
                let message =
                    format!("an option of sbatch can't have a line break or `\"`: {line}");
                return Err(Error::new(ErrorKind::Usage, message));
            }
            // sbatch reads quotes as a shell does.
            let quote = if line.contains(char::is_whitespace) {
                "\""
            } else {
                ""
            };
            let _ = writeln!(script, "#SBATCH {quote}{line}{quote}");
        }
        Ok(script)
    }

    /// Adds the call of this program. It replaces the shell, so that it receives Slurm's signals.
    fn add_command(
        &self,
        script: &mut String,
        command: &str,
        spec: &Path,
        part: &str,
    ) -> Result<()> {
        let program = std::env::current_exe()
            .map_err(|error| Error::io("find", Path::new("convscope's own program"), error))?;
        let mut words = vec![
            quoted(&program),
            command.to_owned(),
            quoted(&absolute(spec)?),
        ];
        let arguments = self.settings.arguments()?;
        words.extend(arguments.iter().map(|word| quoted(Path::new(word))));
        if !part.is_empty() {
            words.push(part.to_owned());
        }
        let _ = writeln!(script, "exec {}", words.join(" "));
        Ok(())
    }
}

/// Submits a job and returns its id.
fn sbatch(arguments: &[std::ffi::OsString]) -> Result<String> {
    let output = Command::new("sbatch")
        .arg("--parsable")
        .args(arguments)
        .output()
        .map_err(|error| {
            Error::new(ErrorKind::Usage, "`sbatch` can't be run")
                .caused_by(error)
                .help("`--submit` needs Slurm; without it, the scripts are written for another machine")
        })?;
    if !output.status.success() {
        let problem = String::from_utf8_lossy(&output.stderr);
        let message = format!("sbatch refused the job: {}", problem.trim());
        return Err(Error::new(ErrorKind::Io, message));
    }
    // The cluster's name may follow the id.
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.trim().split(';').next().unwrap_or_default().to_owned())
}

/// Numbers as Slurm writes them: `1,3-5`.
fn ranges(numbers: &[usize]) -> String {
    let runs = numbers.chunk_by(|a, b| a + 1 == *b);
    let runs = runs.map(|run| match run {
        [first, .., last] => format!("{first}-{last}"),
        [one] => one.to_string(),
        [] => String::new(),
    });
    runs.collect::<Vec<_>>().join(",")
}

/// A word of a shell's command line.
fn quoted(word: &Path) -> String {
    let word = word.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-=+:,@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| Error::io("find", path, error))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{quoted, ranges};

    #[test]
    fn numbers_are_written_as_ranges() {
        assert_eq!(ranges(&[1, 2, 3, 5, 7, 8]), "1-3,5,7-8");
        assert_eq!(ranges(&[4]), "4");
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("a/b.yaml")), "a/b.yaml");
        assert_eq!(quoted(Path::new("my file's.yaml")), r"'my file'\''s.yaml'");
    }
}

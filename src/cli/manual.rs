//! Completions and man pages, made from the grammar.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Arguments;
use super::context::Context;
use super::failure::{Exit, Failure};

pub(super) fn completions(context: &mut Context, shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "secpull", &mut script);
    write(context, &script)
}

pub(super) fn man(context: &mut Context, out: Option<&Path>) -> Result<Exit, Failure> {
    let Some(folder) = out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
        return write(context, &page);
    };
    if !folder.is_dir() {
        return Err(Failure::usage(format!(
            "{} is no folder: make it first",
            folder.display()
        )));
    }
    clap_mangen::generate_to(Arguments::command(), folder).map_err(|error| {
        Failure::failed(format!(
            "cannot write man pages into {}: {error}",
            folder.display()
        ))
    })?;
    Ok(Exit::Complete)
}

fn write(context: &mut Context, bytes: &[u8]) -> Result<Exit, Failure> {
    std::io::Write::write_all(&mut context.output, bytes)?;
    Ok(Exit::Complete)
}

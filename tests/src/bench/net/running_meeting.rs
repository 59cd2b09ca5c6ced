//! A running meeting of an organiser and any number of other clients, each a process in its namespace.

use super::call::{BenchClient, Call};
use super::running::{OutputFolder, RunningProgram};
use crate::netlab::{LinkSchedule, Netlab};
use anyhow::{Context, Result};
use engine::report::Report;
use std::fs;
use std::time::Duration;

/// A running meeting. Drop kills its programs, then removes the network.
pub struct RunningMeeting<'a> {
    call: &'a Call,
    clients: Vec<(BenchClient, RunningProgram)>,
    _server: RunningProgram,
    link: String,
    lab: Netlab,
    folder: OutputFolder,
}

impl<'a> RunningMeeting<'a> {
    /// Starts the server and the organiser. `further` are more arguments of the organiser.
    ///
    /// # Errors
    /// Returns a [`crate::netlab::Error`] if there is no network, or another error if a program does not start.
    pub fn start(call: &'a Call, organiser: BenchClient, further: &[&str]) -> Result<Self> {
        let folder = OutputFolder::new(Some(&call.out))?;
        let lab = Netlab::new(&call.spec)?;
        let (server, program, link) = call.start_meeting(&lab, &folder, &[], &organiser, further)?;
        Ok(Self { call, clients: vec![(organiser, program)], _server: server, link, lab, folder })
    }

    /// Starts another client, and waits until it is admitted. `further` are more of its arguments.
    ///
    /// # Errors
    /// Returns an error if it does not start.
    pub fn join(&mut self, client: BenchClient, further: &[&str]) -> Result<()> {
        let join = [&["join", &self.link], further].concat();
        let program = self.call.start_client(&self.lab, &self.folder, &client, &join)?;
        program.first_line()?;
        self.clients.push((client, program));
        Ok(())
    }

    /// Starts the changes of the links.
    ///
    /// # Errors
    /// Returns an error if no thread can be started.
    pub fn start_schedule(&self) -> Result<LinkSchedule> {
        Ok(self.lab.start_schedule(&self.call.spec)?)
    }

    /// Returns the clients with their processes, the organiser first.
    pub fn processes(&self) -> impl Iterator<Item = (&BenchClient, u32)> {
        self.clients.iter().map(|(client, program)| (client, program.id()))
    }

    /// Asks all clients to leave, and returns their reports.
    ///
    /// # Errors
    /// Returns an error if a client fails or does not end in time, or if its report cannot be read.
    pub fn end(self) -> Result<Vec<Report>> {
        self.clients.iter().for_each(|(_, program)| program.interrupt());
        let folder = &self.folder;
        let reports = self.clients.into_iter().map(|(client, program)| {
            program.end(END_TIMEOUT)?;
            let report = fs::read(folder.file(&client.report()))?;
            serde_json::from_slice(&report).with_context(|| format!("the report of {} cannot be read", client.name))
        });
        reports.collect()
    }
}

/// How long the clients may take to leave.
const END_TIMEOUT: Duration = Duration::from_secs(30);

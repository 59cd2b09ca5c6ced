//! `conclave identity`: this device's key, its certificate, and the organisations that this computer trusts.

use super::options::IdentityOptions;
use super::{client, output};
use anyhow::{Context, Result};
use app::identity_folder::IdentityFolder;
use app::organisations;
use engine::{Identity, Keychain};
use std::path::PathBuf;

/// Does what the options say, in this order: trusts organisations, installs a certificate, prints a request, or else the key.
///
/// # Errors
/// Returns an error if the key is not available, or if a file cannot be read or does not count.
pub fn run(options: &IdentityOptions) -> Result<()> {
    if let Some(file) = &options.trust {
        let trusted = organisations::trust(file)?;
        output::message(format_args!("trusted: {}", trusted.join(", ")));
    }
    if let Some(file) = &options.certificate {
        let (identity, target) = identity(options)?;
        organisations::install(file, identity, &target)?;
        output::message(format_args!("installed: {}", target.display()));
    }
    if options.request {
        let name = options.name.clone().unwrap_or_else(client::system_name);
        let request = identity(options)?.0.certificate_request(&name).context("the name cannot be in a request")?;
        output::line(request.trim_end());
    } else if options.trust.is_none() && options.certificate.is_none() {
        output::line(identity(options)?.0.public().to_string());
    }
    Ok(())
}

/// Returns the device's key, and the file of its certificate.
fn identity(options: &IdentityOptions) -> Result<(Identity, PathBuf)> {
    if let Some(folder) = &options.folder {
        let folder = IdentityFolder::new(folder);
        return Ok((folder.load_or_create()?, folder.certificate()));
    }
    let identity = Identity::load_or_create(&Keychain::new("conclave"))
        .context("this computer has no keychain that can be used: --folder keeps the key in a folder")?;
    let target = organisations::own_certificate().context("the environment names no folder for the certificate")?;
    Ok((identity, target))
}

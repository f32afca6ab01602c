//! Secrets that stand in the configuration in clear: they reach Envoy in its environment, and are in
//! no file and on no command line.

use sluice_filter::config::Template;

use crate::config::{Config, Provider};
use crate::failure::Failure;
use crate::generate::Host;

/// Takes the secrets out of the configuration: names of variables, and what they must be set to. So
/// it does with what stands in files, where the filter is the wasm, which cannot read them.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn take(config: &mut Config, host: Host) -> Result<Vec<(String, String)>, Failure> {
    let mut secrets = Vec::new();
    for provider in &mut config.providers {
        for template in secret_templates(provider) {
            // Only a template without variables resolves where no variable has a value.
            if let Ok(text) = template.resolve(&|_| None) {
                *template = keep(&mut secrets, text);
            }
        }
        if host == Host::Wasm {
            take_files(provider, &mut secrets)?;
        }
    }
    Ok(secrets)
}

/// Puts what files hold now in the place of their paths.
fn take_files(provider: &mut Provider, secrets: &mut Vec<(String, String)>) -> Result<(), Failure> {
    let source = provider.source.as_mut();
    for template in source
        .into_iter()
        .flat_map(|source| source.recipe.templates_mut())
    {
        let paths: Vec<String> = template.files().into_iter().map(str::to_owned).collect();
        for path in paths {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Failure::line(format!("cannot read {path}: {error}")))?;
            let variable = keep(secrets, text);
            let name = format!("${{file:{path}}}");
            let written = template.as_written().replace(&name, variable.as_written());
            *template = Template::new(written);
        }
    }
    Ok(())
}

/// A variable that has this value.
fn keep(secrets: &mut Vec<(String, String)>, text: String) -> Template {
    let name = format!("SLUICE_SECRET_{}", secrets.len());
    let template = Template::new(format!("${{{name}}}"));
    secrets.push((name, text));
    template
}

fn secret_templates(provider: &mut Provider) -> impl Iterator<Item = &mut Template> {
    let credential = provider.credential.templates_mut();
    let source = provider.source.as_mut();
    credential
        .into_iter()
        .chain(provider.headers.iter_mut().map(|(_, value)| value))
        .chain(
            source
                .into_iter()
                .flat_map(|source| source.recipe.secrets_mut()),
        )
}

//! The filter in Envoy's two chains, as wasm or as dynamic module.

use serde::Serialize;

use super::access::{self, CorsFilter, JwtAuthentication};
use super::limits::RateLimitFilter;
use super::value::{Any, Defaults, Extension, Message, StringValue};
use super::{Host, Plan, Target};

/// Which of the filter's two placements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// In the listener: once per request.
    Downstream,
    /// In a cluster: once per try.
    Upstream,
}

impl Placement {
    const fn name(self) -> &'static str {
        match self {
            Self::Downstream => "downstream",
            Self::Upstream => "upstream",
        }
    }
}

/// An HTTP filter that the gateway needs.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum HttpFilter {
    Wasm(Box<Extension<Wasm>>),
    Module(Extension<DynamicModuleFilter>),
    RateLimit(Box<Extension<RateLimitFilter>>),
    Cors(Extension<CorsFilter>),
    JwtAuthentication(Box<Extension<JwtAuthentication>>),
    Router(Extension<Router>),
    UpstreamCodec(Extension<UpstreamCodec>),
    HeaderMutation(Extension<HeaderMutation>),
}

impl HttpFilter {
    /// Ours.
    pub(super) fn sluice(plan: &Plan<'_>, target: &Target, placement: Placement) -> Self {
        match target.host {
            Host::Wasm => Self::Wasm(Box::new(Extension::new(
                "envoy.filters.http.wasm",
                Wasm::new(plan, target, placement),
            ))),
            Host::Module => Self::Module(Extension::new(
                "envoy.filters.http.dynamic_modules",
                DynamicModuleFilter::new(plan, placement),
            )),
        }
    }

    /// Answers browsers, as the virtual host says.
    pub(super) fn cors() -> Self {
        Self::Cors(Extension::new(access::CORS, CorsFilter {}))
    }

    /// The end of the listener's chain.
    pub(super) fn router() -> Self {
        let router = Router {
            suppress_envoy_headers: true,
        };
        Self::Router(Extension::new("envoy.filters.http.router", router))
    }

    /// Takes headers off requests.
    pub(super) fn remove_headers(names: &[&'static str]) -> Self {
        let request_mutations = names.iter().map(|name| Removal { remove: name }).collect();
        Self::HeaderMutation(Extension::new(
            "envoy.filters.http.header_mutation",
            HeaderMutation {
                mutations: Mutations { request_mutations },
            },
        ))
    }

    /// The end of a cluster's chain.
    pub(super) fn upstream_codec() -> Self {
        Self::UpstreamCodec(Extension::new(
            "envoy.filters.http.upstream_codec",
            UpstreamCodec(Defaults {}),
        ))
    }
}

/// `envoy.extensions.filters.http.wasm.v3.Wasm`
#[derive(Clone, Debug, Serialize)]
pub(super) struct Wasm {
    config: PluginConfig,
}

impl Message for Wasm {
    const NAME: &'static str = "envoy.extensions.filters.http.wasm.v3.Wasm";
}

#[derive(Clone, Debug, Serialize)]
struct PluginConfig {
    name: &'static str,
    root_id: &'static str,
    /// The upstream placement gets what it needs from the downstream one.
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<Any<StringValue>>,
    vm_config: VmConfig,
    /// A fault of the filter costs the request in hand, not the worker.
    failure_policy: &'static str,
    /// Headers wait until the body has been read.
    allow_on_headers_stop_iteration: bool,
}

#[derive(Clone, Debug, Serialize)]
struct VmConfig {
    /// Both placements share one VM per worker, and in it what is known of a request.
    vm_id: &'static str,
    runtime: &'static str,
    code: Code,
    #[serde(skip_serializing_if = "EnvironmentVariables::is_empty")]
    environment_variables: EnvironmentVariables,
}

#[derive(Clone, Debug, Serialize)]
struct Code {
    local: File,
}

#[derive(Clone, Debug, Serialize)]
struct File {
    filename: String,
}

/// What the VM may see of Envoy's environment.
#[derive(Clone, Debug, Serialize)]
struct EnvironmentVariables {
    host_env_keys: Vec<String>,
}

impl EnvironmentVariables {
    const fn is_empty(&self) -> bool {
        self.host_env_keys.is_empty()
    }
}

impl Wasm {
    fn new(plan: &Plan<'_>, target: &Target, placement: Placement) -> Self {
        let configuration = StringValue::new(plan.filter_json());
        let config = PluginConfig {
            name: placement.name(),
            root_id: placement.name(),
            configuration: (placement == Placement::Downstream).then(|| Any::new(configuration)),
            vm_config: VmConfig::new(plan, target),
            failure_policy: "FAIL_RELOAD",
            allow_on_headers_stop_iteration: true,
        };
        Self { config }
    }
}

impl VmConfig {
    fn new(plan: &Plan<'_>, target: &Target) -> Self {
        let host_env_keys = plan.variables().into_iter().map(str::to_owned).collect();
        Self {
            vm_id: "sluice",
            runtime: "envoy.wasm.runtime.v8",
            code: Code {
                local: File {
                    filename: target.wasm.display().to_string(),
                },
            },
            environment_variables: EnvironmentVariables { host_env_keys },
        }
    }
}

/// `envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter`
#[derive(Clone, Debug, Serialize)]
pub(super) struct DynamicModuleFilter {
    dynamic_module_config: DynamicModuleConfig,
    filter_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_config: Option<Any<StringValue>>,
}

impl Message for DynamicModuleFilter {
    const NAME: &'static str =
        "envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter";
}

#[derive(Clone, Debug, Serialize)]
struct DynamicModuleConfig {
    /// Envoy loads `libsluice.so` from `ENVOY_DYNAMIC_MODULES_SEARCH_PATH`.
    name: &'static str,
    /// The library stays when the configuration changes: its statics may still be in use.
    do_not_close: bool,
    /// The module's own metrics begin with this.
    metrics_namespace: &'static str,
}

impl DynamicModuleFilter {
    fn new(plan: &Plan<'_>, placement: Placement) -> Self {
        let configuration = StringValue::new(plan.filter_json());
        Self {
            dynamic_module_config: DynamicModuleConfig {
                name: "sluice",
                do_not_close: true,
                metrics_namespace: "sluice",
            },
            filter_name: placement.name(),
            filter_config: (placement == Placement::Downstream).then(|| Any::new(configuration)),
        }
    }
}

/// `envoy.extensions.filters.http.router.v3.Router`
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Router {
    /// No `x-envoy-…` to providers and clients.
    suppress_envoy_headers: bool,
}

impl Message for Router {
    const NAME: &'static str = "envoy.extensions.filters.http.router.v3.Router";
}

/// `envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec`
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct UpstreamCodec(Defaults);

impl Message for UpstreamCodec {
    const NAME: &'static str = "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec";
}

/// `envoy.extensions.filters.http.header_mutation.v3.HeaderMutation`
#[derive(Clone, Debug, Serialize)]
pub(super) struct HeaderMutation {
    mutations: Mutations,
}

#[derive(Clone, Debug, Serialize)]
struct Mutations {
    request_mutations: Vec<Removal>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Removal {
    remove: &'static str,
}

impl Message for HeaderMutation {
    const NAME: &'static str = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation";
}

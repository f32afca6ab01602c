//! Two routes: for one try, and for several. The filter names the cluster, so what routing costs does
//! not grow with the models.

use std::collections::BTreeMap;

use serde::Serialize;
use sluice_filter::downstream::{
    CLUSTER_HEADER, FORWARDED_PROTO_HEADER, MAX_RETRIES_HEADER, MODEL_HEADER,
};

use super::Plan;
use super::access::{CORS, CorsPolicy};
use super::limits::{Group, RateLimitPerRoute};
use super::value::{Any, Extension, Message, Time};

/// `envoy.config.route.v3.RouteConfiguration`
#[derive(Clone, Debug, Serialize)]
pub(super) struct RouteConfiguration {
    name: &'static str,
    virtual_hosts: Vec<VirtualHost>,
}

#[derive(Clone, Debug, Serialize)]
struct VirtualHost {
    name: &'static str,
    domains: Vec<&'static str>,
    routes: Vec<Route>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    typed_per_filter_config: BTreeMap<&'static str, Any<CorsPolicy>>,
}

#[derive(Clone, Debug, Serialize)]
struct Route {
    name: &'static str,
    #[serde(rename = "match")]
    matches: RouteMatch,
    /// The request is held until the model is known, and while it can still be tried elsewhere.
    request_body_buffer_limit: u64,
    /// What the filter and Envoy tell each other is not the provider's business.
    request_headers_to_remove: Vec<&'static str>,
    route: RouteAction,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    typed_per_filter_config: BTreeMap<&'static str, Any<RateLimitPerRoute>>,
}

#[derive(Clone, Debug, Serialize)]
struct RouteMatch {
    prefix: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<HeaderMatcher>,
}

/// `envoy.config.route.v3.HeaderMatcher`
#[derive(Clone, Debug, Serialize)]
struct HeaderMatcher {
    name: &'static str,
    present_match: bool,
}

/// `envoy.config.route.v3.RouteAction`
#[derive(Clone, Debug, Serialize)]
struct RouteAction {
    cluster_header: &'static str,
    /// No limit for the whole: a stream may be long. Each try and each silence has one.
    timeout: Time,
    retry_policy: Tries,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Tries {
    One(OneTry),
    Several(RetryPolicy),
}

/// `envoy.config.route.v3.RetryPolicy` without a reason to try again: Envoy then keeps no state for
/// it, and no copy of the request. The silence of a stream is bounded by the connection manager.
#[derive(Clone, Debug, Serialize)]
struct OneTry {
    per_try_timeout: Time,
}

/// `envoy.config.route.v3.RetryPolicy`
#[derive(Clone, Debug, Serialize)]
struct RetryPolicy {
    retry_on: &'static str,
    retriable_status_codes: Vec<u16>,
    /// The filter says in `x-envoy-max-retries` how many targets are left.
    num_retries: u32,
    per_try_timeout: Time,
    per_try_idle_timeout: Time,
    retry_priority: Extension<PreviousPriorities>,
}

/// `envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig`
#[derive(Clone, Copy, Debug, Serialize)]
struct PreviousPriorities {
    /// A target that has failed is not tried again: the next one is, at once.
    update_frequency: u32,
}

impl Message for PreviousPriorities {
    const NAME: &'static str =
        "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig";
}

impl RouteConfiguration {
    pub(super) fn new(plan: &Plan<'_>) -> Self {
        let host = VirtualHost {
            name: "sluice",
            domains: vec!["*"],
            routes: vec![Route::several_tries(plan), Route::one_try(plan)],
            typed_per_filter_config: cors(plan),
        };
        Self {
            name: "sluice",
            virtual_hosts: vec![host],
        }
    }
}

/// Which web pages may ask.
fn cors(plan: &Plan<'_>) -> BTreeMap<&'static str, Any<CorsPolicy>> {
    let policy = plan.config.cors.as_ref().map(CorsPolicy::of);
    policy.into_iter().map(|policy| (CORS, policy)).collect()
}

impl Route {
    /// For models with several targets: the filter says how many are left after the first.
    fn several_tries(plan: &Plan<'_>) -> Self {
        let several = HeaderMatcher {
            name: MAX_RETRIES_HEADER,
            present_match: true,
        };
        let tries = Tries::Several(RetryPolicy::new(plan));
        Self::new(plan, "several-tries", vec![several], tries)
    }

    fn one_try(plan: &Plan<'_>) -> Self {
        let tries = Tries::One(OneTry {
            per_try_timeout: Time(plan.config.timeouts.first_byte),
        });
        Self::new(plan, "one-try", Vec::new(), tries)
    }

    fn new(plan: &Plan<'_>, name: &'static str, headers: Vec<HeaderMatcher>, tries: Tries) -> Self {
        Self {
            name,
            matches: RouteMatch {
                prefix: "/",
                headers,
            },
            request_body_buffer_limit: plan.request_buffer_bytes(),
            request_headers_to_remove: vec![CLUSTER_HEADER, MODEL_HEADER, FORWARDED_PROTO_HEADER],
            route: RouteAction {
                cluster_header: CLUSTER_HEADER,
                timeout: Time::ZERO,
                retry_policy: tries,
            },
            typed_per_filter_config: Group::per_route(plan),
        }
    }
}

impl RetryPolicy {
    fn new(plan: &Plan<'_>) -> Self {
        let timeouts = plan.config.timeouts;
        let priorities = PreviousPriorities {
            update_frequency: 1,
        };
        Self {
            retry_on: "5xx,reset,connect-failure,refused-stream,retriable-status-codes",
            retriable_status_codes: vec![429],
            num_retries: 0,
            per_try_timeout: Time(timeouts.first_byte),
            // The wait for the first byte is a silence too.
            per_try_idle_timeout: Time(timeouts.idle.max(timeouts.first_byte)),
            retry_priority: Extension::new(
                "envoy.retry_priorities.previous_priorities",
                priorities,
            ),
        }
    }
}

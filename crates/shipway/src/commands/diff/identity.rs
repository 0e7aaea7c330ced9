//! As whom the API server is asked: as the account that would write, if the caller may.

use cluster::caller::Want;
use cluster::{Caller, Resource};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use kube::core::ApiResource;

use super::want::Case;
use crate::commands::target::unable;
use crate::error::CliError;

/// Who asks.
pub(super) enum Identity {
    /// The Shipment's account, by impersonation.
    Account(Caller, String),
    /// The account, which does not exist: nothing can be asked.
    Missing(Caller, String),
    /// The caller, who may not impersonate the account.
    Yourself(Caller, String),
}

impl Identity {
    pub(super) async fn find(case: &Case) -> Result<Self, CliError> {
        let (namespace, account) = (&case.key.namespace, &case.spec.account);
        let name = format!("{namespace}/{account}");
        let caller = case.target.caller.clone();
        if !may_impersonate(case).await {
            return Ok(Self::Yourself(caller, name));
        }
        // The API server lets an account that does not exist write through the bindings of its group.
        let place = Resource::object(
            &ApiResource::erase::<ServiceAccount>(&()),
            Some(namespace),
            account,
        );
        match caller.get(&place, Want::Metadata).await {
            Err(error) if error.is_not_found() => return Ok(Self::Missing(caller, name)),
            Err(error) if !error.is_forbidden() => return Err(unable(&error)),
            _ => {}
        }
        let acting = caller
            .acting_as(namespace, account)
            .map_err(|error| unable(&error))?;
        Ok(Self::Account(acting, name))
    }

    pub(super) fn caller(&self) -> &Caller {
        match self {
            Self::Account(caller, _) | Self::Missing(caller, _) | Self::Yourself(caller, _) => {
                caller
            }
        }
    }

    pub(super) fn is_account(&self) -> bool {
        matches!(self, Self::Account(..))
    }

    /// Why nothing can be asked, if so.
    pub(super) fn missing(&self) -> Option<String> {
        match self {
            Self::Missing(_, name) => Some(format!("the ServiceAccount `{name}` does not exist")),
            _ => None,
        }
    }

    /// What is to be known of it.
    pub(super) fn note(&self) -> String {
        match self {
            Self::Account(_, name) => format!("checked by a dry run as ServiceAccount `{name}`"),
            Self::Missing(_, name) => {
                format!("nothing was checked: the ServiceAccount `{name}` does not exist")
            }
            Self::Yourself(_, name) => format!(
                "checked by a dry run as yourself, since you may not impersonate ServiceAccount `{name}`: what that account may not do is not seen"
            ),
        }
    }
}

/// Asks the API server; where that does not tell, the answer is no.
async fn may_impersonate(case: &Case) -> bool {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                verb: Some("impersonate".to_owned()),
                resource: Some("serviceaccounts".to_owned()),
                namespace: Some(case.key.namespace.clone()),
                name: Some(case.spec.account.clone()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(case.target.client.clone());
    let answer = reviews.create(&PostParams::default(), &review).await;
    answer
        .ok()
        .and_then(|review| review.status)
        .is_some_and(|status| status.allowed)
}

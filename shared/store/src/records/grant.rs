//! Grants: what a token that another one makes may be at the most: no more than its maker, and no longer.

use jiff::Timestamp;

use super::token::Principal;

/// How many tokens may have made each other in turn: each use of the last looks at all of them.
pub const DEEPEST: usize = 4;

/// What a token is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The principal: tenant, scope and restrictions.
    pub principal: Principal,
    /// From when on it no longer counts.
    pub expires_at: Option<Timestamp>,
}

impl Grant {
    /// Narrows what is left open to what the maker has; the field that exceeds the maker otherwise.
    ///
    /// The operator's key limits nothing: whoever runs the deployment can make any token without it, and rotates it
    /// without ending what it made.
    pub fn within(self, maker: &Self) -> Result<Self, &'static str> {
        let (Self { principal: mut wanted, mut expires_at }, limit) = (self, &maker.principal);
        if limit.operator {
            return Ok(Self { principal: wanted, expires_at });
        }
        if wanted.tenant != limit.tenant || wanted.operator {
            return Err("tenant");
        }
        if !wanted.scopes.iter().all(|scope| limit.may(*scope)) {
            return Err("scopes");
        }
        if let Some(user) = &limit.user {
            if wanted.user.as_ref().is_some_and(|wanted| wanted != user) {
                return Err("user");
            }
            wanted.user = Some(user.clone());
        }
        if !limit.companies.is_empty() {
            // A person's calendars are none of the companies' payments.
            if limit.user.is_none() && wanted.user.is_some() {
                return Err("user");
            }
            if !wanted.companies.iter().all(|company| limit.companies.contains(company)) {
                return Err("companies");
            }
            if wanted.companies.is_empty() {
                wanted.companies.clone_from(&limit.companies);
            }
        }
        if let Some(end) = maker.expires_at {
            if expires_at.is_some_and(|wanted| wanted > end) {
                return Err("expires_at");
            }
            expires_at = expires_at.or(Some(end));
        }
        Ok(Self { principal: wanted, expires_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hooktide_model::names::Scope;
    use hooktide_model::tenant::Tenant;

    fn grant(scope: Scope, user: Option<&str>, companies: &[&str], expires_at: Option<i64>) -> Grant {
        let principal = Principal {
            tenant: Tenant::default_local(),
            user: user.map(str::to_owned),
            companies: companies.iter().map(|company| (*company).to_owned()).collect(),
            scopes: vec![scope],
            operator: false,
        };
        Grant { principal, expires_at: expires_at.map(|second| Timestamp::from_second(second).unwrap()) }
    }

    #[test]
    fn a_token_neither_exceeds_nor_outlives_the_one_that_makes_it() {
        let maker = grant(Scope::Operate, Some("ann"), &["a", "b"], Some(100));
        for (wanted, expected) in [
            (grant(Scope::Read, None, &[], None), Ok(grant(Scope::Read, Some("ann"), &["a", "b"], Some(100)))),
            (
                grant(Scope::Operate, Some("ann"), &["b"], Some(99)),
                Ok(grant(Scope::Operate, Some("ann"), &["b"], Some(99))),
            ),
            (grant(Scope::Admin, None, &[], None), Err("scopes")),
            (grant(Scope::Read, Some("bob"), &[], None), Err("user")),
            (grant(Scope::Read, None, &["a", "c"], None), Err("companies")),
            (grant(Scope::Read, None, &[], Some(101)), Err("expires_at")),
        ] {
            assert_eq!(wanted.clone().within(&maker), expected, "{wanted:?}");
        }
        let unlimited = grant(Scope::Admin, None, &[], None);
        let wanted = grant(Scope::Admin, Some("bob"), &["c"], Some(1_000));
        assert_eq!(wanted.clone().within(&unlimited), Ok(wanted.clone()));
        let foreign = Principal { tenant: Tenant::system(), ..wanted.principal.clone() };
        assert_eq!(Grant { principal: foreign, expires_at: None }.within(&unlimited), Err("tenant"));
        let mut operator = maker;
        operator.principal.operator = true;
        assert_eq!(wanted.clone().within(&operator), Ok(wanted));
    }
}

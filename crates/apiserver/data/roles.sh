#!/bin/sh
# Records the roles and bindings that a cluster begins with from the genuine server that kubectl speaks to:
#   KUBECONFIG=… ./roles.sh > roles.jsonl
# Wants a controller manager beside it, since that fills the aggregated roles in.
set -eu
kubectl get clusterroles,clusterrolebindings,roles,rolebindings --all-namespaces \
  --selector kubernetes.io/bootstrapping=rbac-defaults --output json |
  jq --compact-output --sort-keys '.items | sort_by(.kind, .metadata.namespace, .metadata.name) | .[]
    | del(.metadata["managedFields", "uid", "resourceVersion", "creationTimestamp"])'

// Generated from contract/openapi.yaml by `npm run types`; not written by hand.
export interface paths {
    "/agent/{platform}/holdfast-agent": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description System and processor */
                platform: string;
            };
            cookie?: never;
        };
        /** The agent's binary; the same is served to devices on port 8444 */
        get: operations["download_agent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process is alive */
        get: operations["get_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Figures about the server itself */
        get: operations["get_server_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/problems/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Problem code */
                code: components["schemas"]["ProblemCode"];
            };
            cookie?: never;
        };
        /** What a problem means and its mend; a page, or Markdown if asked for */
        get: operations["get_problem_page"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The server can do its work; 503 `unavailable` if not */
        get: operations["get_readiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agent": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Agent binaries, their digests, and the commands that install and join */
        get: operations["get_agent_downloads"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Audit entries, newest first; with `from_seq`, oldest first from there */
        get: operations["list_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/{seq}/proof": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Sequence number of an audit entry */
                seq: components["parameters"]["seq"];
            };
            cookie?: never;
        };
        /**
         * All that proves one entry offline
         * @description A checkpoint that covers the entry is made first if there is none yet.
         */
        get: operations["prove_audit_entry"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/checkpoint": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest signed checkpoint */
        get: operations["get_audit_checkpoint"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check chain and tree, against checkpoints kept elsewhere if given
         * @description Changes nothing. A broken audit is a result with `ok` false, not an error.
         */
        post: operations["verify_audit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/backup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A consistent, encrypted copy of the data folder, as one tar archive
         * @description Taken while the server runs. The last member `COMPLETE` holds the digest of all others: an archive without it is `backup-incomplete`. The keys are not in it; fetch `/v1/backup/ring` with the id from `Holdfast-Backup-Id` and keep it apart.
         */
        post: operations["create_backup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/backup/ring": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The key ring of a backup, wrapped by the sealing key
         * @description Replace the former copy as a whole, so that what was erased stays erased. The sealing key itself never leaves the server.
         */
        post: operations["create_ring_backup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/certificates/forecast": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * When certificates expire and renew, day by day
         * @description Of the newest certificate of each device in service, for 120 days from today (UTC).
         */
        get: operations["get_certificate_forecast"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/claims": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Claims, newest first */
        get: operations["list_claims"];
        put?: never;
        /**
         * Let one device enrol; claim and code are in this answer and nowhere else
         * @description A caller limited to sites must name one of them.
         */
        post: operations["create_claim"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/claims/{claim_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Claim */
                claim_id: components["parameters"]["claim_id"];
            };
            cookie?: never;
        };
        /** One claim and how far its device has come */
        get: operations["get_claim"];
        put?: never;
        post?: never;
        /** Revoke a claim; one that is spent stays spent (`claim-spent`) */
        delete: operations["revoke_claim"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/claims/{claim_id}/progress": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Claim */
                claim_id: components["parameters"]["claim_id"];
            };
            cookie?: never;
        };
        /**
         * Follow the device from code to first reading
         * @description Sends the claim as it is, then again with every step. Ends after `first_reading`, expiry or revocation.
         */
        get: operations["stream_claim_progress"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Commands, newest first */
        get: operations["list_commands"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/{command_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Command */
                command_id: components["parameters"]["command_id"];
            };
            cookie?: never;
        };
        /** One command */
        get: operations["get_command"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/{command_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Command */
                command_id: components["parameters"]["command_id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop waiting for a command and do not deliver it any more
         * @description A command that has ended is `conflict`. One that was delivered may still be carried out; a later reply is an event.
         */
        post: operations["cancel_command"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The configuration in effect, where each value comes from, secrets hidden */
        get: operations["get_config"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Devices that the caller may see */
        get: operations["list_devices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        /** One device */
        get: operations["get_device"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Rename, move, retype or retag
         * @description Moving to another site needs `device.write` in both.
         */
        patch: operations["update_device"];
        trace?: never;
    };
    "/v1/devices/{device_id}/attestation": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        /** What a device's TPM has proven, and when */
        get: operations["get_device_attestation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/attestation/accept": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Expect from now on what the device's TPM said last */
        post: operations["accept_device_attestation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/commands": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a command to a device
         * @description Kept until it is answered or its deadline passes. With `wait_s` the answer comes when the command has ended, or after that time as it then stands.
         */
        post: operations["run_command"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/decommission": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        /** The receipt of its decommissioning */
        get: operations["get_decommission"];
        put?: never;
        /**
         * Take the device out of service for good, and order it to erase itself
         * @description In one transaction its sessions close, its certificates are revoked, claims for it are void, waiting commands are cancelled, and it
         *     becomes `decommissioned`; record and history stay. The wipe is proved by the device's signature; `erase_pending` until then, with
         *     an alarm at the deadline.
         */
        post: operations["decommission_device"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        /** The metrics of a device, with the newest value of each */
        get: operations["list_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/quarantine": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cut the device off, within a second; it keeps its certificate
         * @description Quarantining again keeps the first time and changes the reason.
         */
        post: operations["quarantine_device"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End the quarantine
         * @description A device whose certificates are revoked cannot be released (`conflict`); it enrols again with a claim.
         */
        post: operations["release_device"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/replace": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let other hardware take the place of this device
         * @description Answers a claim. Whoever spends it gets this device's id, and so its name, site, type, tags, twin and history; in that moment the old key is dead.
         */
        post: operations["replace_device"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/replacements": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        /** Hardware that took this device's place, newest first, at most 100 */
        get: operations["list_replacements"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Revoke every certificate of the device and quarantine it */
        post: operations["revoke_device"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/tags/{tag}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
                /** @description Key of the tag */
                tag: components["parameters"]["tag"];
            };
            cookie?: never;
        };
        get?: never;
        /** Set one tag */
        put: operations["set_device_tag"];
        post?: never;
        /** Remove one tag; removing one that is not there succeeds */
        delete: operations["delete_device_tag"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/telemetry": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        /**
         * Readings in a range: raw, or in buckets
         * @description Without `bucket_s`: exactly one `metric`, every raw point, oldest first (`order=desc`: newest first), answer `points`. With `bucket_s`: up to 32 metrics and 10,000 buckets, aligned to the Unix epoch, empty ones left out, answer `buckets` by metric, then start. The range is `from` <= time < `to`; `since` is short for `from` = now - since. Default: the last hour.
         */
        get: operations["query_telemetry"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/telemetry/tail": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        /** Readings as they are stored */
        get: operations["tail_telemetry"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        /**
         * Events, commands and what operators did, merged, newest first
         * @description After 5 s without a full page, `partial` is true and the cursor goes on.
         */
        get: operations["get_device_timeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/twin": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        /** Desired and reported state */
        get: operations["get_twin"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{device_id}/twin/desired": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        get?: never;
        /** Replace the desired state */
        put: operations["replace_desired"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Merge into the desired state */
        patch: operations["update_desired"];
        trace?: never;
    };
    "/v1/devices/{device_id}/twin/diff": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        /**
         * Where desired and reported differ
         * @description Only what is desired is compared; what a device reports beyond that is no difference.
         */
        get: operations["diff_twin"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/facets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Counts for each value of each facet
         * @description Each facet is counted under all filters but its own.
         */
        get: operations["get_device_facets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/endorsement-roots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The makers whose TPMs are trusted */
        get: operations["list_endorsement_roots"];
        put?: never;
        /** Trust a maker of TPMs */
        post: operations["add_endorsement_root"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/endorsement-roots/{fingerprint}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256 of the certificate */
                fingerprint: components["parameters"]["fingerprint"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Trust a maker no longer; devices that enrolled stay */
        delete: operations["remove_endorsement_root"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/endorsements": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Endorsement keys that are registered or were seen */
        get: operations["list_endorsements"];
        put?: never;
        /** Expect a TPM; its device enrols by itself when it comes */
        post: operations["register_endorsement"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/endorsements/{endorsement}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256 of the endorsement key */
                endorsement: components["parameters"]["endorsement"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Forget a TPM, so that it may enrol anew; its device stays */
        delete: operations["release_endorsement"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/enrolments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Devices without a claim that asked to enrol
         * @description Only where `enrolment.unknown` is `wait`. What a request says of itself proves nothing; its key is what is decided on.
         */
        get: operations["list_enrolments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/enrolments/{key_sha256}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256 of the public key that asked */
                key_sha256: components["schemas"]["KeyHash"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let this key in; it gets its certificate when it asks next
         * @description Also one that was refused before. A caller limited to sites must name one of them.
         */
        post: operations["approve_enrolment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/enrolments/{key_sha256}/refuse": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256 of the public key that asked */
                key_sha256: components["schemas"]["KeyHash"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Turn this key away, until somebody approves it */
        post: operations["refuse_enrolment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/erasure/{subject}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A device, or a site: then all its devices */
                subject: string;
            };
            cookie?: never;
        };
        /** What an erasure would find: readings, roll-ups and events */
        get: operations["preview_erasure"];
        put?: never;
        /**
         * Destroy everything that a device, or all devices of a site, reported
         * @description Keys of readings are destroyed, segments of events are written anew, the journal is sealed, digests of resends are forgotten: data folder, old backups and the present key ring together no longer yield the values. The registry, audit and commands stay. It can not be undone. The audit tells when it began and holds the receipt.
         */
        post: operations["erase_subject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Events, newest first
         * @description `q` is in the query language (docs/spec/events.md, Queries). A search that reads for 5 s without filling the page answers with what it has, `partial` true, how far back it looked, and a cursor to go on.
         */
        get: operations["query_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/count": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How many events, over time and by a field
         * @description A histogram with `step_s`, the most frequent values with `by`, both together, or the sum alone. By severity, by kind and without `by`, and with steps of whole minutes, the answer comes from roll-ups. After 5 s it is `partial`: at least so many.
         */
        get: operations["count_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How a search would be done
         * @description What each part of the query is decided by, and how many events are left to look at one by one.
         */
        get: operations["explain_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/tail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Events as they are stored
         * @description At most 1,000 events at once; of more, `dropped` says how many were left out. They are stored, and a search finds them.
         */
        get: operations["tail_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/findings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Anomalies of identities with their evidence, newest first, at most 1,000 */
        get: operations["list_findings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/findings/acknowledge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Somebody has looked at it; it opens again when it comes back */
        post: operations["acknowledge_finding"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Scheduled work, next or newest first */
        get: operations["list_jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Job */
                job_id: components["parameters"]["job_id"];
            };
            cookie?: never;
        };
        /** One job */
        get: operations["get_job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Job */
                job_id: components["parameters"]["job_id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run a failed or scheduled job now
         * @description A job that runs or has succeeded is `conflict`.
         */
        post: operations["retry_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orphans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Records and certificates that do not fit together, at most 1,000 of each */
        get: operations["list_orphans"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/registrations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Devices that are let in when they come */
        get: operations["list_registrations"];
        put?: never;
        /**
         * Announce devices by CSV, up to 10,000 rows at once
         * @description The first line names the columns: `serial`, and as wanted `key_sha256`, `name`, `site_id`, `type_id`, `tags` (`line=3;floor=1`). A serial that ends in
         *     `*` lets in every serial that begins so. A serial without a key is used up by the first key that names it. Lines with a problem are told and left out.
         */
        post: operations["import_registrations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/registrations/{serial}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Serial or pattern */
                serial: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Announce a device no longer; one that came in stays */
        delete: operations["delete_registration"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/retention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How long readings and events are kept, by class, and what lies there */
        get: operations["get_retention"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/retention/{class_name}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description `default`, `events`, or a class of your own */
                class_name: string;
            };
            cookie?: never;
        };
        get?: never;
        /**
         * Set how long a class is kept; a new name makes a class for the streams that it names
         * @description The answer lists the days that go with the next run (within the hour). With `dry_run` nothing changes. Roll-ups are buckets of `rollup_s` that stay when points go, for `rollup_keep_s` (null: for ever).
         */
        put: operations["set_retention"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/retention/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Which days of readings will go, and when
         * @description Until `to`; default 30 days from now.
         */
        get: operations["preview_retention"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who am I, and what may I do? */
        get: operations["get_session"];
        put?: never;
        /**
         * Sign in with name and password
         * @description Five wrong attempts for a name or an address in a minute are answered with `rate-limited`. Failure never tells which of the two was wrong.
         */
        post: operations["create_session"];
        /**
         * Sign out; the cookie ends at once
         * @description With a bearer token there is no session to end, and the answer is `invalid-argument`.
         */
        delete: operations["delete_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Is the one-time set-up still open? */
        get: operations["get_setup"];
        put?: never;
        /** Make the first administrator and sign in; works once */
        post: operations["complete_setup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Sites that the caller may see */
        get: operations["list_sites"];
        put?: never;
        /** Add a site */
        post: operations["create_site"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sites/{site_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Site */
                site_id: components["parameters"]["site_id"];
            };
            cookie?: never;
        };
        /** One site */
        get: operations["get_site"];
        put?: never;
        post?: never;
        /** Remove a site that has no devices, users, tokens or open claims (else `conflict`) */
        delete: operations["delete_site"];
        options?: never;
        head?: never;
        /** Change a site */
        patch: operations["update_site"];
        trace?: never;
    };
    "/v1/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Live changes for lists and pages
         * @description Events `device` (changed members of one device), `reading` (the newest value of a metric, at most one a second for each metric), `event`, and `reset`. With `Last-Event-ID` a stream goes on where it was, of each metric with the newest reading alone; where that is no longer kept, or the server was started anew, `reset` comes first: read all again. Readings need `telemetry.read` and events `event.read`; what the caller may not see is left out.
         */
        get: operations["stream_changes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/telemetry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Several devices and metrics in buckets on one grid
         * @description One line for each device (or group), metric and function, all with the same `starts`. Up to 100 devices, 32 metrics, 16 functions and 10,000 cells. `group_by=tag:KEY` makes one line of all devices with the same value of that tag; devices without it are the group ``. `top` keeps the lines with the highest mean of their cells, for each metric and function. `fill` says what stands where nothing was measured; `gaps` are those of the data, whatever was filled. An answer that took 5 s says `partial` and holds what was found.
         */
        get: operations["compare_telemetry"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/telemetry/newest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The newest reading of some metrics of many devices
         * @description Of the devices named, or of a page of all that the caller may see, by id. Answered from memory.
         */
        get: operations["list_newest_readings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** API tokens and service credentials */
        get: operations["list_tokens"];
        put?: never;
        /**
         * Make a token; its secret is in this answer and nowhere else
         * @description Kind `api` acts for the user who makes it and never holds more than that user does; kind `service` stands for a program, is its own actor (`svc_` id) in the audit, and outlives the user who made it.
         */
        post: operations["create_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tokens/{token_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Token or service credential */
                token_id: components["parameters"]["token_id"];
            };
            cookie?: never;
        };
        /** One token, without its secret */
        get: operations["get_token"];
        put?: never;
        post?: never;
        /** Revoke a token, at once and for good; revoking twice succeeds */
        delete: operations["revoke_token"];
        options?: never;
        head?: never;
        /** Change name, roles, sites or expiry */
        patch: operations["update_token"];
        trace?: never;
    };
    "/v1/types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Device types */
        get: operations["list_types"];
        put?: never;
        /** Add a device type */
        post: operations["create_type"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/types/{type_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device type */
                type_id: components["parameters"]["type_id"];
            };
            cookie?: never;
        };
        /** One device type */
        get: operations["get_type"];
        put?: never;
        post?: never;
        /** Remove a type that no device or open claim uses (else `conflict`) */
        delete: operations["delete_type"];
        options?: never;
        head?: never;
        /** Change a device type; `streams` is replaced as a whole */
        patch: operations["update_type"];
        trace?: never;
    };
    "/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Users */
        get: operations["list_users"];
        put?: never;
        /** Add a user */
        post: operations["create_user"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/users/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description User */
                user_id: components["parameters"]["user_id"];
            };
            cookie?: never;
        };
        /** One user */
        get: operations["get_user"];
        put?: never;
        post?: never;
        /** Remove a user and end all sessions and tokens of theirs */
        delete: operations["delete_user"];
        options?: never;
        head?: never;
        /**
         * Change a user
         * @description A new password, `disabled`, or less permission ends the user's sessions at once. The last enabled administrator without site limits can be neither removed, disabled nor demoted (`conflict`).
         */
        patch: operations["update_user"];
        trace?: never;
    };
    "/v1/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What runs here */
        get: operations["get_version"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AgentDownloads: {
            ca_fingerprint_sha256: components["schemas"]["Sha256"];
            /** @description Root certificate in PEM */
            ca_pem?: string;
            /** @description Address of port 8444 that devices reach, never localhost unless nothing else exists */
            device_url: string;
            /** @description How to join */
            instructions?: {
                /** @description Shell lines; `{code}` and `{claim}` stand for the values of a new claim */
                commands: string[];
                /** @description Platform or `any` */
                platform: string;
                /** @description What the commands do */
                title: string;
            }[];
            /** @description One for each binary */
            platforms: {
                /** @description Path on ports 8443 and 8444 */
                path: string;
                /** @description Such as linux-x86_64 */
                platform: string;
                sha256: components["schemas"]["Sha256"];
                /** @description Bytes */
                size_bytes: number;
            }[];
            /** @description Version of the agent */
            version: string;
        };
        AgentInfo: {
            /** @description What it can do */
            capabilities: string[];
            /** @description Version of the device protocol */
            protocol?: number;
            /** @description Program and version, such as `holdfast-agent 1.0.0` */
            version: string;
        };
        AlignedTelemetry: {
            /** @description Lines that `top` left out */
            left_out: number;
            /** @description By device or group, metric, function; with `top` the highest first */
            lines: components["schemas"]["TelemetryLine"][];
            /** @description Something is missing: the deadline came first, or a damaged file was left out */
            partial: boolean;
            /** @description Why */
            partial_reason?: string;
            /** @description Of a part of the range only roll-ups are left, in buckets of their own length */
            rolled_up?: boolean;
            /** @description Start of each bucket */
            starts: components["schemas"]["Time"][];
        };
        AuditEntry: {
            /** @description Operation id, or internal action */
            action: string;
            /** @description Id of who did it; `system` or a device id for what no person did */
            actor: string;
            after: components["schemas"]["Json"];
            before: components["schemas"]["Json"];
            /** @description before and after were erased; their salted digest stays */
            erased?: boolean;
            hash: components["schemas"]["Sha256"];
            leaf_hash: components["schemas"]["Sha256"];
            /** @description Id of what it was done to */
            object: string;
            prev_hash: components["schemas"]["Sha256"];
            /** @description Request that caused it */
            request_id: string | null;
            /** @description Sequence number without gaps, from 0; its index in the tree */
            seq: number;
            time: components["schemas"]["Time"];
        };
        AuditList: {
            /** @description This page */
            items: components["schemas"]["AuditEntry"][];
            next_cursor: components["schemas"]["NextCursor"];
            total_estimate?: components["schemas"]["TotalEstimate"];
        };
        AuditProof: {
            checkpoint: components["schemas"]["Checkpoint"];
            entry: components["schemas"]["AuditEntry"];
            /** @description The very bytes of the entry; leaf hash = SHA-256(00 || bytes) */
            entry_base64: string;
            /** @description RFC 9162 inclusion proof, leaf side first */
            inclusion_path: components["schemas"]["Sha256"][];
            leaf_hash: components["schemas"]["Sha256"];
            /** @description Its place in the tree */
            leaf_index: number;
        };
        AuditVerdict: {
            /** @description Checkpoints compared */
            checkpoints_checked: number;
            /** @description One sentence */
            detail?: string | null;
            /** @description Entries read */
            entries_checked: number;
            /** @description edited, removed, reordered, cut_tail, bad_signature; null if ok */
            finding: string | null;
            /** @description First entry that is wrong */
            first_bad_seq: number | null;
            /** @description Nothing was found */
            ok: boolean;
        };
        AuditVerify: {
            /** @description Signed notes kept outside the server */
            checkpoints?: string[];
            /** @description First entry to check */
            from_seq?: number;
            /** @description Last entry to check, included */
            to_seq?: number;
        };
        /** @description Numbers have all values; strings and booleans count, first and last */
        Bucket: {
            /** @description Points */
            count?: number;
            first?: components["schemas"]["Value"];
            /** @description Growth of a counter */
            increase?: number;
            last?: components["schemas"]["Value"];
            /** @description Largest */
            max?: number;
            /** @description Mean of the points */
            mean?: number;
            metric: components["schemas"]["MetricName"];
            /** @description Smallest, in the unit of the metric */
            min?: number;
            /** @description By name, such as p95 */
            percentiles?: {
                [key: string]: number;
            };
            /** @description Growth by the second */
            rate?: number;
            start: components["schemas"]["Time"];
            /** @description Sum */
            sum?: number;
        };
        /** @description increase: growth of a counter that may start anew; rate: that by the second; median and p0 to p100: percentiles */
        BucketFunction: string;
        Buckets: {
            /** @description By metric, then start */
            buckets: components["schemas"]["Bucket"][];
            /** @description Something is missing: the deadline came first, or a damaged file was left out */
            partial: boolean;
            /** @description Why */
            partial_reason?: string;
            /** @description Of a part of the range only roll-ups are left, in buckets of their own length */
            rolled_up?: boolean;
        };
        Certificate: {
            fingerprint_sha256: components["schemas"]["Sha256"];
            /** @description P-256, P-384, Ed25519, RSA-2048 ... */
            key_algorithm: string;
            not_after: components["schemas"]["Time"];
            not_before: components["schemas"]["Time"];
            /**
             * Format: date-time
             * @description When the device is expected to renew
             */
            renews_at: string | null;
            /** @description Serial number in hexadecimal */
            serial: string;
            /**
             * @description Whether it is accepted
             * @enum {string}
             */
            state: "valid" | "expired" | "revoked" | "superseded";
        };
        CertificateForecast: {
            /** @description Today first */
            days: {
                /** Format: date */
                day: string;
                /** @description Certificates that end then */
                expire: number;
                /** @description Certificates whose renewal is drawn for then */
                renew: number;
            }[];
            /** @description Devices in service whose certificate has ended */
            expired: number;
            /** @description Valid ones whose renewal was due more than a day ago */
            late: number;
        };
        Checkpoint: {
            /** @description The checkpoint as signed note (C2SP tlog-checkpoint); keep this elsewhere */
            note: string;
            /** @description Public key in PEM, for openssl */
            public_key: string;
            root_hash: components["schemas"]["Sha256"];
            /** @description Signature over them */
            signature_base64: string;
            /** @description The very bytes that are signed */
            signed_base64: string;
            time: components["schemas"]["Time"];
            /** @description Entries covered */
            tree_size: number;
        };
        Claim: {
            created_at: components["schemas"]["Time"];
            /** @description Id of who made it */
            created_by: string;
            /** @description Device that used it */
            device_id: string | null;
            /** @description Serial that it is bound to */
            device_serial: string | null;
            expires_at: components["schemas"]["Time"];
            id: components["schemas"]["ClaimId"];
            /** @description Name that the device will get */
            name: string | null;
            /** @description All five steps, always in this order */
            progress: {
                /**
                 * Format: date-time
                 * @description When it was reached; null if not yet
                 */
                at: string | null;
                /** @description What happened, such as the address or the metric */
                detail: string | null;
                /** @description Last failure of this step */
                error?: components["schemas"]["StepError"] | null;
                /**
                 * @description Step
                 * @enum {string}
                 */
                step: "code_shown" | "claimed" | "certificate_issued" | "connected" | "first_reading";
            }[];
            /** @description Site that the device will get */
            site_id: string | null;
            state: components["schemas"]["ClaimState"];
            tags: components["schemas"]["Tags"];
            /** @description Type that the device will get */
            type_id: string | null;
        };
        ClaimCreate: {
            /** @description Only a CSR whose subject serialNumber (or, without one, CN) equals this may use it */
            device_serial?: string;
            /**
             * @description Seconds until it ends
             * @default 3600
             */
            expires_in_s: number;
            name?: components["schemas"]["Name"];
            site_id?: components["schemas"]["SiteId"];
            tags?: components["schemas"]["Tags"];
            type_id?: components["schemas"]["TypeId"];
        };
        ClaimCreated: {
            /** @description Password for EST, user `claim` */
            claim: string;
            /** @description Join code: addresses, CA fingerprint and claim */
            code: string;
            expires_at: components["schemas"]["Time"];
            id: components["schemas"]["ClaimId"];
        };
        /** @description Claim */
        ClaimId: string;
        ClaimList: {
            /** @description This page */
            items: components["schemas"]["Claim"][];
            next_cursor: components["schemas"]["NextCursor"];
            total_estimate?: components["schemas"]["TotalEstimate"];
        };
        /**
         * @description Whether the claim can still be used
         * @enum {string}
         */
        ClaimState: "open" | "spent" | "expired" | "revoked";
        Command: {
            created_at: components["schemas"]["Time"];
            /** @description Id of who sent it */
            created_by: string;
            deadline: components["schemas"]["Time"];
            device_id: components["schemas"]["DeviceId"];
            /** @description Error that the device gave: code?, message */
            error: {
                [key: string]: unknown;
            } | null;
            finished_at?: components["schemas"]["TimeOrNull"];
            id: components["schemas"]["CommandId"];
            name: components["schemas"]["CommandName"];
            payload: components["schemas"]["Json"];
            result: components["schemas"]["Json"];
            state: components["schemas"]["CommandState"];
            updated_at: components["schemas"]["Time"];
        };
        CommandCreate: {
            /**
             * @description Seconds until it expires
             * @default 300
             */
            deadline_s: number;
            name: components["schemas"]["CommandName"];
            payload?: components["schemas"]["Json"];
        };
        /** @description Command */
        CommandId: string;
        CommandList: {
            /** @description This page */
            items: components["schemas"]["Command"][];
            next_cursor: components["schemas"]["NextCursor"];
            total_estimate?: components["schemas"]["TotalEstimate"];
        };
        /** @description Name of the command */
        CommandName: string;
        /**
         * @description queued: no session; sent: handed to a session; delivered: acknowledged by the device; the other four are final
         * @enum {string}
         */
        CommandState: "queued" | "sent" | "delivered" | "succeeded" | "failed" | "expired" | "cancelled";
        Component: {
            /** @description `sha256:<hex>` of what runs */
            digest?: string | null;
            /** @description Such as boot, os, application, modem */
            name: string;
            /** @description Version as reported */
            version: string;
        };
        Config: {
            /** @description Every key, by name */
            items: {
                /** @description What it does */
                description?: string;
                /** @description Key with dots, such as hub.durability */
                key: string;
                /** @description If true, value is null */
                secret: boolean;
                /**
                 * @description Where it comes from
                 * @enum {string}
                 */
                source: "default" | "file" | "environment" | "flag";
                value: components["schemas"]["Json"];
            }[];
        };
        Decommission: {
            /** @description Serials */
            certificates_revoked: string[];
            /** @description Claims that could have let it in again */
            claims_voided: number;
            /**
             * @description What happens to its readings and events
             * @enum {unknown}
             */
            data: "retention" | "erase";
            /**
             * Format: date-time
             * @description When they were erased
             */
            data_erased_at: string | null;
            device_id: components["schemas"]["DeviceId"];
            /**
             * Format: date-time
             * @description When the alarm is raised
             */
            erase_deadline: string | null;
            /**
             * @description `not_erased`: no wipe was ordered
             * @enum {unknown}
             */
            erase_state: "not_erased" | "erase_pending" | "erase_overdue" | "erased";
            /**
             * Format: date-time
             * @description When the proof came
             */
            erased_at: string | null;
            /**
             * Format: date-time
             * @description When the device fetched the order
             */
            fetched_at: string | null;
            ordered_at: components["schemas"]["Time"];
            /** @description Id of who did it */
            ordered_by: string;
            /**
             * Format: date-time
             * @description When the alarm was raised
             */
            overdue_at: string | null;
            proof: {
                /** @description Serial */
                certificate: string;
                said_at: components["schemas"]["Time"];
                /** @description base64, by the key of the certificate */
                signature: string;
                /** @description The very bytes that the device signed, JSON */
                statement: string;
            } | null;
            /** @description Why */
            reason: string;
        };
        DecommissionRequest: {
            /**
             * @description Order the device to erase itself
             * @default true
             */
            erase: boolean;
            /**
             * @description Erase what the server holds now, instead of by its retention class
             * @default false
             */
            erase_data: boolean;
            /**
             * @description Seconds until an alarm is raised
             * @default 604800
             */
            erase_limit_s: number;
            reason: components["schemas"]["Reason"];
        };
        Device: {
            /** @description What hello said; null before */
            agent: components["schemas"]["AgentInfo"] | null;
            /** @description Newest certificate */
            certificate: components["schemas"]["Certificate"] | null;
            /** @description Software that the device reports */
            components: components["schemas"]["Component"][];
            /** @description How the device is reached: direct, gateway, intermittent, unknown */
            connectivity: string;
            created_at: components["schemas"]["Time"];
            /**
             * @description What the identity rests on, strongest first
             * @enum {string}
             */
            evidence_class: "hardware-attested" | "hardware-asserted" | "software" | "claim";
            /** @description Where it stands: internet, internal, isolated, unknown */
            exposure: string;
            /** @description Hardware as reported, see device-protocol.md */
            hardware?: {
                [key: string]: unknown;
            } | null;
            id: components["schemas"]["DeviceId"];
            name: components["schemas"]["Name"];
            /** @description Interfaces as reported: name, mac, addresses */
            network?: {
                [key: string]: unknown;
            }[];
            /** @description Operating system as reported: name, version, kernel */
            os?: {
                [key: string]: unknown;
            } | null;
            /** @description Gateway that speaks for the device */
            parent_id: string | null;
            presence: components["schemas"]["Presence"];
            /** @description Set while the device is quarantined */
            quarantine: components["schemas"]["Quarantine"] | null;
            revision: components["schemas"]["Revision"];
            /** @description Serial number, as claimed or reported */
            serial?: string | null;
            /** @description Site */
            site_id: string | null;
            /** @description Name of the site */
            site_name: string | null;
            state: components["schemas"]["DeviceState"];
            tags: components["schemas"]["Tags"];
            /** @description Device type */
            type_id: string | null;
            /** @description Name of the type */
            type_name: string | null;
            updated_at: components["schemas"]["Time"];
        };
        DeviceAttestation: {
            /** @description Newest first, at most 100 */
            history: {
                at: components["schemas"]["Time"];
                /** @description More */
                detail: string | null;
                /** @description ok, drifted, or a code of problems.yaml */
                outcome: string;
                /**
                 * @description What the proof was for
                 * @enum {string}
                 */
                purpose: "enrol" | "readmit" | "check";
            }[];
            /** @description Its TPM; null: it proved none */
            tpm: {
                /** @description TPM2B_PUBLIC of the attestation key, base64 */
                attestation_public: string;
                /** @description PCRs that differ */
                changed: number[];
                /** @description Clock of the TPM */
                clock_ms: number;
                endorsement: components["schemas"]["Sha256Hex"];
                expected: components["schemas"]["Pcrs"];
                found: components["schemas"]["Pcrs"];
                /**
                 * Format: date-time
                 * @description Last proof
                 */
                last_at: string | null;
                /** @description Resets of the TPM */
                reset_count: number;
                /** @description Restarts since */
                restart_count: number;
                /** @description Fingerprint of the maker's root */
                root: string | null;
                /** @description No proof for three days */
                silent: boolean;
            } | null;
        };
        /** @description Device members that changed; `removed` true when it left the caller's view */
        DeviceDelta: {
            /** @description Merge patch on Device */
            changes?: {
                [key: string]: unknown;
            };
            id: components["schemas"]["DeviceId"];
            /** @description No longer visible */
            removed?: boolean;
            revision: components["schemas"]["Revision"];
        };
        DeviceFacets: {
            online: components["schemas"]["Facet"];
            site: components["schemas"]["Facet"];
            state: components["schemas"]["Facet"];
            tag: components["schemas"]["Facet"];
            type: components["schemas"]["Facet"];
        };
        /**
         * @description Device
         * @example dev_01JD3V9QK2M4N6P8R0S2T4V6W8
         */
        DeviceId: string;
        DeviceList: {
            /** @description This page */
            items: components["schemas"]["Device"][];
            next_cursor: components["schemas"]["NextCursor"];
            total_estimate?: components["schemas"]["TotalEstimate"];
        };
        DevicePatch: {
            name?: components["schemas"]["Name"];
            /** @description Site, or null for none */
            site_id?: string | null;
            /** @description The full map: it replaces the old one as a whole (not merged) */
            tags?: {
                [key: string]: string;
            };
            /** @description Type, or null for none */
            type_id?: string | null;
        };
        /**
         * @description Where the device is in its life
         * @enum {string}
         */
        DeviceState: "unmanaged" | "registered" | "enrolled" | "active" | "quarantined" | "decommissioned";
        DeviceType: {
            created_at: components["schemas"]["Time"];
            /** @description Free text */
            description: string;
            /** @description Devices of the type */
            device_count: number;
            /**
             * @description The least that a device of this type must prove; null: nothing
             * @enum {string|null}
             */
            evidence_required?: "hardware-attested" | "hardware-asserted" | "software" | "claim" | null;
            id: components["schemas"]["TypeId"];
            name: components["schemas"]["Name"];
            revision: components["schemas"]["Revision"];
            streams: components["schemas"]["Streams"];
            topic_mapping: components["schemas"]["TopicMapping"];
            updated_at: components["schemas"]["Time"];
        };
        Dropped: {
            /** @description Events left out here, because more came than are sent */
            count: number;
        };
        Endorsement: {
            created_at: components["schemas"]["Time"];
            /** @description The device that proved it */
            device_id: string | null;
            endorsement: components["schemas"]["Sha256Hex"];
            /**
             * Format: date-time
             * @description Last proof
             */
            last_at: string | null;
            /** @description Name of the device */
            name: string | null;
            /** @description An operator expects it */
            registered: boolean;
            /** @description Fingerprint of the maker's root */
            root: string | null;
            /** @description Serial number of the device */
            serial: string | null;
            /** @description Site of the device */
            site_id: string | null;
            tags: components["schemas"]["Tags"];
            /** @description Type of the device */
            type_id: string | null;
        };
        EndorsementCreate: {
            endorsement: components["schemas"]["Sha256Hex"];
            /** @description Name of the device */
            name?: string;
            /** @description Serial number of the device */
            serial?: string;
            site_id?: components["schemas"]["SiteId"];
            tags?: components["schemas"]["Tags"];
            type_id?: components["schemas"]["TypeId"];
        };
        EndorsementList: {
            /** @description This page */
            items: components["schemas"]["Endorsement"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        EndorsementRoot: {
            /** @description Any TPM of this maker may enrol; else it must be registered or bring a claim */
            admits: boolean;
            /** @description PEM */
            certificate: string;
            created_at: components["schemas"]["Time"];
            /** @description Id of who added it */
            created_by: string;
            fingerprint: components["schemas"]["Sha256Hex"];
            /** @description What people call it */
            name: string;
            not_after: components["schemas"]["Time"];
        };
        EndorsementRootCreate: {
            /**
             * @description Any TPM of this maker may enrol
             * @default false
             */
            admits: boolean;
            /** @description One CA certificate as PEM */
            certificate: string;
            /** @description What people call it; default the subject */
            name?: string;
        };
        EndorsementRootList: {
            /** @description All */
            items: components["schemas"]["EndorsementRoot"][];
        };
        EnrolmentApproval: {
            name?: components["schemas"]["Name"];
            site_id?: components["schemas"]["SiteId"];
            tags?: components["schemas"]["Tags"];
            type_id?: components["schemas"]["TypeId"];
        };
        EnrolmentList: {
            /** @description This page */
            items: components["schemas"]["EnrolmentRequest"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        EnrolmentRequest: {
            /** @description Where it asked from last */
            address: string;
            /** @description How often it asked */
            asked: number;
            /**
             * Format: date-time
             * @description When
             */
            decided_at: string | null;
            /** @description Id of who decided */
            decided_by: string | null;
            /** @description The device that it became */
            device_id: string | null;
            first_at: components["schemas"]["Time"];
            /** @description Such as P-256 */
            key_algorithm: string;
            key_sha256: components["schemas"]["KeyHash"];
            last_at: components["schemas"]["Time"];
            /** @description As the request says, unproven */
            name: string | null;
            /** @description Why */
            reason: string | null;
            /** @description As the request says, unproven */
            serial: string | null;
            state: components["schemas"]["EnrolmentState"];
        };
        /**
         * @description What was decided
         * @enum {string}
         */
        EnrolmentState: "waiting" | "approved" | "refused";
        EraseOrder: {
            /** @description The subject once more */
            confirm: string;
            /** @description For the audit */
            reason: string;
        };
        Erasure: {
            at?: components["schemas"]["Time"];
            /** @description Whose data */
            devices: components["schemas"]["DeviceId"][];
            /** @description Gone; false: a preview */
            erased: boolean;
            /** @description Events and logs */
            events: {
                /** @description Events */
                events: number;
                /** @description Files that held them */
                segments: number;
            };
            /** @description Readings and roll-ups */
            readings: {
                /** @description Bytes in files */
                bytes: number;
                first: components["schemas"]["TimeOrNull"];
                last: components["schemas"]["TimeOrNull"];
                /** @description Metrics */
                metrics: number;
                /** @description Points, without those that roll-ups stand for */
                points: number;
            };
            /** @description As given */
            reason?: string;
            /** @description Device or site */
            subject: string;
        };
        Event: {
            /** @description Device; null: the server itself */
            device_id: string | null;
            /** @description What else is known; `name` for kind event, `code` for refusals */
            fields: {
                [key: string]: unknown;
            };
            /** @description Opaque, sortable */
            id: string;
            kind: components["schemas"]["EventKind"];
            /** @description One sentence */
            message: string;
            received_at: components["schemas"]["Time"];
            severity: components["schemas"]["Severity"];
            time: components["schemas"]["Time"];
            time_source: components["schemas"]["TimeSource"];
        };
        EventCounts: {
            /** @description Of them with less frequent values */
            other: number;
            /** @description There may be more */
            partial: boolean;
            /** @description By start, then most frequent first; steps without events are left out */
            rows: {
                /** @description Events */
                count: number;
                start: components["schemas"]["TimeOrNull"];
                /** @description As text; null without `by` */
                value: string | null;
            }[];
            /** @description Events looked at one by one; the rest came from roll-ups */
            scanned: number;
            /** @description Events found */
            total: number;
            /** @description Of them without the field */
            without: number;
        };
        /**
         * @description Open set: log, event, connect, disconnect, refused, authentication_failed, enrolled, renewed, command, twin, inventory, quarantine, release, revoke, audit, payload_malformed, clock, server
         * @example connect
         */
        EventKind: string;
        EventList: {
            /** @description This page */
            items: components["schemas"]["Event"][];
            next_cursor: components["schemas"]["NextCursor"];
            /** @description The search stopped before the page was full */
            partial: boolean;
            /**
             * Format: date-time
             * @description Events received since then were looked at; null: all were
             */
            reached: string | null;
            /** @description Events looked at one by one */
            scanned: number;
        };
        EventPlan: {
            /** @description Blocks stored */
            blocks: number | null;
            /** @description Blocks to read */
            blocks_left: number | null;
            /** @description Stored; null for callers limited to sites, as the other numbers */
            events: number | null;
            /** @description To look at one by one, after filters and bounds */
            events_left: number | null;
            from: components["schemas"]["TimeOrNull"];
            /** @description The query in its normal form */
            query: string;
            /** @description Counts come from roll-ups */
            rollups: boolean;
            /** @description Those that may match */
            severities: components["schemas"]["Severity"][];
            /** @description In the order of the query */
            steps: {
                /** @description What decides it */
                how: string;
                /** @description Part of the query */
                part: string;
            }[];
            to: components["schemas"]["TimeOrNull"];
            /** @description Of the stored ones in memory */
            unsealed: number | null;
        };
        /** @description Values by count, largest first */
        Facet: {
            /** @description Devices */
            count: number;
            /** @description Name for people */
            label: string;
            /** @description What to filter by; null: not set; tags as `key=value` */
            value: string | null;
        }[];
        Finding: {
            /**
             * Format: date-time
             * @description When somebody looked at it
             */
            acknowledged_at: string | null;
            /** @description Who */
            acknowledged_by: string | null;
            /** @description How often, at most once in 10 s */
            count: number;
            /** @description The device that it is about */
            device_id: string | null;
            /** @description What was seen the last time */
            evidence: Record<string, never>;
            first_at: components["schemas"]["Time"];
            kind: components["schemas"]["FindingKind"];
            last_at: components["schemas"]["Time"];
            /** @description What it means */
            message: string;
            /** @enum {unknown} */
            severity: "warning" | "error";
            /** @description Serial, key hash, address or device id */
            subject: string;
        };
        /**
         * @description What was seen
         * @enum {string}
         */
        FindingKind: "key_reuse" | "certificate_in_two_places" | "unknown_certificate" | "failures_by_source" | "failures_by_device";
        FindingList: {
            /** @description Newest first */
            items: components["schemas"]["Finding"][];
        };
        FindingName: {
            kind: components["schemas"]["FindingKind"];
            /** @description Serial, key hash, address or device id */
            subject: string;
        };
        Health: {
            /**
             * @description Always ok; else a problem
             * @constant
             */
            status: "ok";
        };
        Job: {
            /** @description Runs so far */
            attempts: number;
            created_at: components["schemas"]["Time"];
            deadline: components["schemas"]["TimeOrNull"];
            id: components["schemas"]["JobId"];
            /** @description Such as claim.expire, command.expire, segment.seal, retention.run */
            kind: string;
            /** @description Failure of the last run */
            last_error: {
                code: components["schemas"]["ProblemCode"];
                /** @description What failed */
                message: string;
            } | null;
            /** @description Runs before it fails for good */
            max_attempts: number;
            /** @description Id of what it is about */
            object: string | null;
            run_at: components["schemas"]["Time"];
            state: components["schemas"]["JobState"];
            updated_at: components["schemas"]["Time"];
        };
        /** @description Job */
        JobId: string;
        JobList: {
            /** @description This page */
            items: components["schemas"]["Job"][];
            next_cursor: components["schemas"]["NextCursor"];
            total_estimate?: components["schemas"]["TotalEstimate"];
        };
        /**
         * @description Where the job is
         * @enum {string}
         */
        JobState: "scheduled" | "running" | "succeeded" | "failed" | "cancelled";
        /** @description Any JSON value */
        Json: Record<string, never> | unknown[] | string | number | boolean | null;
        /** @description SHA-256 of a SubjectPublicKeyInfo */
        KeyHash: string;
        LiveReading: {
            device_id: components["schemas"]["DeviceId"];
            metric: components["schemas"]["MetricName"];
            time: components["schemas"]["Time"];
            time_source: components["schemas"]["TimeSource"];
            value: components["schemas"]["Value"];
        };
        Metric: {
            /**
             * @description Kind of the newest value
             * @enum {string}
             */
            kind: "number" | "string" | "boolean";
            last_time: components["schemas"]["Time"];
            last_value: components["schemas"]["Value"];
            name: components["schemas"]["MetricName"];
            time_source?: components["schemas"]["TimeSource"];
            /** @description Unit, from the type or SenML */
            unit: string | null;
        };
        MetricList: {
            /** @description All metrics */
            items: components["schemas"]["Metric"][];
            /** @description Bound of this list: readings with more are refused */
            metrics_max?: number;
        };
        /**
         * @description `<stream>.<field>`
         * @example lab.temp
         */
        MetricName: string;
        /** @description Name for people, no control characters */
        Name: string;
        NewestReadings: {
            /** @description By device and metric */
            items: components["schemas"]["LiveReading"][];
            next_cursor: components["schemas"]["NextCursor"];
            /** @description The deadline came first */
            partial: boolean;
            /** @description Why */
            partial_reason?: string;
        };
        /** @description Cursor of the next page; null at the end */
        NextCursor: string | null;
        Orphans: {
            /** @description Valid certificates whose device is out of service */
            certificates_without_device: {
                device_id: components["schemas"]["DeviceId"];
                /** @description Hexadecimal */
                serial: string;
            }[];
            /** @description Devices in service that hold no valid certificate */
            records_without_certificate: {
                device_id: components["schemas"]["DeviceId"];
                /** @description Its name */
                name: string;
                state: components["schemas"]["DeviceState"];
            }[];
        };
        /** @description At least 12 characters; kept as Argon2id, never shown */
        Password: string;
        /** @description PCR values of the SHA-256 bank by number */
        Pcrs: {
            [key: string]: components["schemas"]["Sha256Hex"];
        };
        Point: {
            time: components["schemas"]["Time"];
            time_source: components["schemas"]["TimeSource"];
            value: components["schemas"]["Value"];
        };
        Presence: {
            /** @description Address of the peer */
            address: string | null;
            /** @description Why the last session ended: `client`, `connection-lost`, or a problem code */
            last_disconnect_reason: string | null;
            last_seen: components["schemas"]["TimeOrNull"];
            /** @description A live MQTT session, or an HTTPS request less than 120 s ago */
            online: boolean;
            /** @description mqtt-3.1.1, mqtt-5.0 or https */
            protocol: string | null;
            /**
             * Format: date-time
             * @description When it came online or went offline; null if never seen
             */
            since: string | null;
        };
        Problem: {
            code: components["schemas"]["ProblemCode"];
            /** @description What happened this time; never holds a secret */
            detail?: string;
            /** @description One for each wrong member or parameter */
            errors?: {
                code: components["schemas"]["ProblemCode"];
                /** @description What is wrong with it */
                message: string;
                /** @description JSON pointer into the body, or `?name` for a parameter */
                pointer: string;
            }[];
            /** @description Path of the request */
            instance?: string;
            /** @description What to do */
            mend?: string;
            /** @description With `forbidden`, the permission that is missing */
            permission?: string;
            /** @description Id to find this in log and audit */
            request_id: string;
            /** @description Seconds until another attempt makes sense */
            retry_after_s?: number;
            /** @description HTTP status */
            status: number;
            /** @description Short name of the problem */
            title: string;
            /**
             * Format: uri-reference
             * @description `/problems/<code>` on this server
             */
            type: string;
        };
        /**
         * @description Code of problems.yaml
         * @example claim-expired
         */
        ProblemCode: string;
        Quarantine: {
            /** @description Id of who did it */
            by: string;
            reason: components["schemas"]["Reason"];
            /** @description The certificates are revoked as well */
            revoked?: boolean;
            since: components["schemas"]["Time"];
        };
        RawPoints: {
            next_cursor: components["schemas"]["NextCursor"];
            /** @description Something is missing: the deadline came first, or a damaged file was left out */
            partial: boolean;
            /** @description Why */
            partial_reason?: string;
            /** @description Every point, in the order asked for */
            points: components["schemas"]["Point"][];
            /** @description Of a part of the range only roll-ups are left: it has no points */
            rolled_up?: boolean;
        };
        /** @description Why, for the timeline and the audit */
        Reason: string;
        ReasonOptional: {
            reason?: components["schemas"]["Reason"];
        };
        ReasonRequired: {
            reason: components["schemas"]["Reason"];
        };
        Registration: {
            created_at: components["schemas"]["Time"];
            /** @description Id of who announced it */
            created_by: string;
            /** @description The device that came in by it */
            device_id: string | null;
            /** @description The only key that it lets in */
            key_sha256: string | null;
            /** @description Name that the device gets */
            name: string | null;
            /** @description Serial; with `*` at its end, every serial that begins so */
            serial: string;
            /** @description Site that it gets */
            site_id: string | null;
            tags: components["schemas"]["Tags"];
            /** @description Type that it gets */
            type_id: string | null;
        };
        RegistrationImport: {
            /** @description RFC 4180 */
            csv: string;
            /**
             * @description Say what would happen
             * @default false
             */
            only_check: boolean;
        };
        RegistrationList: {
            /** @description This page */
            items: components["schemas"]["Registration"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        RegistrationsImported: {
            /** @description Rows taken */
            added: number;
            /** @description Rows left out */
            problems: {
                line: number;
                message: string;
            }[];
        };
        ReplacementList: {
            /** @description Newest first */
            items: {
                claim_id: components["schemas"]["ClaimId"];
                /**
                 * Format: date-time
                 * @description When the new hardware came
                 */
                done_at: string | null;
                /** @description Serial of the new hardware */
                new_serial: string;
                /** @description Serial of the hardware before */
                old_serial: string;
                ordered_at: components["schemas"]["Time"];
                /** @description Id of who ordered it */
                ordered_by: string;
                /** @description Why */
                reason: string;
            }[];
        };
        ReplaceRequest: {
            /** @description Only hardware with this serial may take the place */
            device_serial?: string;
            /**
             * @description Seconds until the claim ends
             * @default 3600
             */
            expires_in_s: number;
            reason: components["schemas"]["Reason"];
        };
        Reset: {
            /** @description Why what was missed cannot be sent; read anew */
            reason: string;
        };
        RetentionChange: {
            class: components["schemas"]["RetentionClass"];
            /** @description Nothing was changed */
            dry_run: boolean;
            /** @description What goes with the next run */
            steps: components["schemas"]["RetentionStep"][];
        };
        RetentionClass: {
            /** @description Bytes of points */
            bytes?: number;
            /** @description Bytes of files; beyond them the oldest days go; null: no bound */
            bytes_max: number | null;
            /** @description Days that hold something */
            days?: number;
            /** @description Seconds that points are kept; null: for ever */
            keep_s: number | null;
            /** @description Name */
            name: string;
            /** @description The newest of them */
            newest_day?: string | null;
            /** @description The oldest of them */
            oldest_day?: string | null;
            /**
             * @description Who set it
             * @enum {string}
             */
            origin: "configuration" | "operator";
            /** @description Bytes of roll-ups */
            rollup_bytes?: number;
            /** @description Seconds that roll-ups are kept; null: for ever */
            rollup_keep_s: number | null;
            /** @description Length of roll-ups, which divides a day; null: none */
            rollup_s: number | null;
            /** @description Streams of this class */
            streams: string[];
        };
        RetentionClasses: {
            /** @description By name */
            items: components["schemas"]["RetentionClass"][];
        };
        RetentionPreview: {
            /** @description Oldest day first */
            steps: components["schemas"]["RetentionStep"][];
            until: components["schemas"]["Time"];
        };
        RetentionRule: {
            /** @description Bytes of files; beyond them the oldest days go; null: no bound */
            bytes_max?: number | null;
            /** @description Seconds that points are kept; null: for ever */
            keep_s?: number | null;
            /** @description Seconds that roll-ups are kept; null: for ever */
            rollup_keep_s?: number | null;
            /** @description Length of roll-ups, which divides a day; null: none */
            rollup_s?: number | null;
            /** @description Streams of this class */
            streams?: string[];
        };
        RetentionStep: {
            /**
             * @description What happens
             * @enum {string}
             */
            action: "roll-up" | "drop";
            /** @description Bytes of its files */
            bytes: number;
            /** @description Class */
            class: string;
            /**
             * @description Day, UTC
             * @example 2026-01-31
             */
            day: string;
            due: components["schemas"]["Time"];
            /**
             * @description Why
             * @enum {string}
             */
            reason: "age" | "bytes";
        };
        /** @description Counts changes; the ETag is this number in quotes */
        Revision: number;
        RingBackup: {
            /** @description Value of Holdfast-Backup-Id */
            backup_id: string;
        };
        /**
         * @description Role
         * @enum {string}
         */
        Role: "viewer" | "technician" | "operator" | "auditor" | "administrator";
        /** @description Roles held */
        Roles: components["schemas"]["Role"][];
        Session: {
            /** @description Who calls */
            actor: {
                /** @description Id of the user, token or service credential */
                id: string;
                /**
                 * @description What the caller is; bootstrap: the token in the data folder
                 * @enum {string}
                 */
                kind: "user" | "api" | "service" | "bootstrap";
                /** @description Name for people */
                name: string;
                /** @description The user that an API token acts for */
                user_id?: string | null;
            };
            expires_at?: components["schemas"]["TimeOrNull"];
            /** @description All permissions that the caller holds */
            permissions: string[];
            roles: components["schemas"]["Roles"];
            sites: components["schemas"]["SiteScope"];
        };
        SetupRequest: {
            name: components["schemas"]["UserName"];
            password: components["schemas"]["Password"];
            /** @description One-time secret from the set-up link */
            secret: string;
        };
        SetupStatus: {
            /** @description No administrator has been made yet */
            open: boolean;
        };
        /**
         * @description Severity, mildest first
         * @enum {string}
         */
        Severity: "debug" | "info" | "notice" | "warning" | "error" | "critical";
        /** @description SHA-256 in hexadecimal */
        Sha256: string;
        /** @description SHA-256, hexadecimal */
        Sha256Hex: string;
        SignInRequest: {
            /** @description User name */
            name: string;
            /** @description Password */
            password: string;
        };
        Site: {
            created_at: components["schemas"]["Time"];
            /** @description Free text */
            description: string;
            /** @description Devices at the site */
            device_count: number;
            id: components["schemas"]["SiteId"];
            name: components["schemas"]["Name"];
            revision: components["schemas"]["Revision"];
            updated_at: components["schemas"]["Time"];
        };
        SiteCreate: {
            /** @description Free text */
            description?: string;
            name: components["schemas"]["Name"];
        };
        /** @description Site */
        SiteId: string;
        SiteList: {
            /** @description This page */
            items: components["schemas"]["Site"][];
            next_cursor: components["schemas"]["NextCursor"];
            total_estimate?: components["schemas"]["TotalEstimate"];
        };
        SitePatch: {
            /** @description Free text */
            description?: string;
            name?: components["schemas"]["Name"];
        };
        /** @description Sites that the roles are limited to; null: all sites, empty: none */
        SiteScope: components["schemas"]["SiteId"][] | null;
        StepError: {
            at: components["schemas"]["Time"];
            code: components["schemas"]["ProblemCode"];
            /** @description What to do */
            mend: string;
            /** @description What failed */
            message: string;
        };
        StreamMeaning: {
            /** @description What the data tells */
            data_class?: {
                /** @description Such as location, health, presence */
                category?: string | null;
                /** @description Tells about a person */
                personal: boolean;
            };
            /** @description Field, or `*` for all others of the stream */
            field: string;
            /** @description Why it is collected */
            purpose?: string | null;
            /** @description Name of a retention class in the configuration; null: default */
            retention_class?: string | null;
            /** @description Stream */
            stream: string;
            /** @description Unit as in RFC 8428, such as Cel, %, W */
            unit?: string | null;
        };
        /** @description What the metrics mean */
        Streams: components["schemas"]["StreamMeaning"][];
        /** @description Key of a tag */
        TagKey: string;
        /** @description Key to value; a value may be empty */
        Tags: {
            [key: string]: string;
        };
        TagValue: {
            /** @description Value, may be empty */
            value: string;
        };
        TelemetryLine: {
            /** @description Device; null: a group */
            device_id: string | null;
            function: components["schemas"]["BucketFunction"];
            /** @description Where nothing was measured */
            gaps: {
                from: components["schemas"]["Time"];
                to: components["schemas"]["Time"];
            }[];
            /** @description Value of the tag; null: a device */
            group: string | null;
            metric: components["schemas"]["MetricName"];
            /** @description Of percentiles, at most; 0: exact */
            relative_error: number;
            /** @description Unit, from the type */
            unit: string | null;
            /** @description One for each start */
            values: (number | string | boolean | null)[];
        };
        /**
         * Format: date-time
         * @description RFC 3339, UTC, up to microseconds
         * @example 2026-01-31T14:02:11.482913Z
         */
        Time: string;
        Timeline: {
            /** @description This page */
            items: components["schemas"]["TimelineItem"][];
            next_cursor: components["schemas"]["NextCursor"];
            /** @description The search stopped before the page was full */
            partial?: boolean;
            total_estimate?: components["schemas"]["TotalEstimate"];
        };
        TimelineItem: {
            /** @description Id of who did it; null: the device */
            actor?: string | null;
            /** @description Its audit entry */
            audit_seq?: number | null;
            /** @description What else is known */
            fields?: {
                [key: string]: unknown;
            };
            /** @description Id of the event or command, or `aud_<seq>` */
            id: string;
            kind: components["schemas"]["EventKind"];
            /**
             * @description Lane on the device page
             * @enum {string}
             */
            lane: "connection" | "changes" | "commands" | "events" | "operators";
            /** @description One sentence */
            message: string;
            severity: components["schemas"]["Severity"];
            time: components["schemas"]["Time"];
        };
        /**
         * Format: date-time
         * @description RFC 3339, UTC; null if it never happened
         */
        TimeOrNull: string | null;
        /**
         * @description Whose clock `time` is from; uncertain: the device gave a time that cannot be, so the server's is used
         * @enum {string}
         */
        TimeSource: "device" | "server" | "uncertain";
        Token: {
            created_at: components["schemas"]["Time"];
            /** @description Id of who made it */
            created_by: string;
            expires_at: components["schemas"]["TimeOrNull"];
            id: components["schemas"]["TokenId"];
            kind: components["schemas"]["TokenKind"];
            /** @description Address of the last use */
            last_used_address: string | null;
            last_used_at: components["schemas"]["TimeOrNull"];
            name: components["schemas"]["Name"];
            revision: components["schemas"]["Revision"];
            revoked_at: components["schemas"]["TimeOrNull"];
            roles: components["schemas"]["Roles"];
            sites: components["schemas"]["SiteScope"];
            updated_at: components["schemas"]["Time"];
            /** @description User that it acts for; null for kind service */
            user_id: string | null;
        };
        TokenCreate: {
            /**
             * Format: date-time
             * @description End; default 90 days for api; null (never) only for service
             */
            expires_at?: string | null;
            /**
             * @description Kind
             * @default api
             * @enum {string}
             */
            kind: "api" | "service";
            name: components["schemas"]["Name"];
            roles: components["schemas"]["Roles"];
            sites?: components["schemas"]["SiteScope"];
        };
        /** @description API token (`tok_`) or service credential (`svc_`) */
        TokenId: string;
        /**
         * @description api: acts for a user; service: a program of its own
         * @enum {string}
         */
        TokenKind: "api" | "service";
        TokenList: {
            /** @description This page */
            items: components["schemas"]["Token"][];
            next_cursor: components["schemas"]["NextCursor"];
            total_estimate?: components["schemas"]["TotalEstimate"];
        };
        TokenPatch: {
            expires_at?: components["schemas"]["TimeOrNull"];
            name?: components["schemas"]["Name"];
            roles?: components["schemas"]["Roles"];
            sites?: components["schemas"]["SiteScope"];
        };
        TokenWithSecret: {
            /** @description For `Authorization: Bearer`; shown this once */
            secret: string;
            token: components["schemas"]["Token"];
        };
        /** @description Reserved: fixed topic of the device to topic of ours; must be empty for now */
        TopicMapping: {
            [key: string]: string;
        };
        /** @description Number of all matches, exact up to 10,000 */
        TotalEstimate: number;
        Twin: {
            desired: components["schemas"]["TwinDocument"];
            desired_at?: components["schemas"]["TimeOrNull"];
            /** @description Counts changes of desired */
            desired_version: number;
            reported: components["schemas"]["TwinDocument"];
            reported_at: components["schemas"]["TimeOrNull"];
            /** @description Counts reports */
            reported_version: number;
        };
        TwinDiff: {
            /** @description One for each pointer that differs; `reported` is absent if the device does not report it */
            changes: {
                desired: components["schemas"]["Json"];
                /** @description JSON pointer */
                pointer: string;
                reported?: components["schemas"]["Json"];
            }[];
            /** @description Version that was compared */
            desired_version: number;
            /** @description Everything desired is reported */
            in_sync: boolean;
            /** @description Version that was compared */
            reported_version: number;
        };
        /** @description A JSON object, at most 64 KiB and 16 deep; what is desired 15, as the message to the device is one */
        TwinDocument: {
            [key: string]: unknown;
        };
        TypeCreate: {
            /** @description Free text */
            description?: string;
            /**
             * @description The least that a device of this type must prove; null: nothing
             * @enum {string|null}
             */
            evidence_required?: "hardware-attested" | "hardware-asserted" | "software" | "claim" | null;
            name: components["schemas"]["Name"];
            streams?: components["schemas"]["Streams"];
            topic_mapping?: components["schemas"]["TopicMapping"];
        };
        /** @description Device type */
        TypeId: string;
        TypeList: {
            /** @description This page */
            items: components["schemas"]["DeviceType"][];
            next_cursor: components["schemas"]["NextCursor"];
            total_estimate?: components["schemas"]["TotalEstimate"];
        };
        TypePatch: {
            /** @description Free text */
            description?: string;
            /**
             * @description The least that a device of this type must prove; null: nothing
             * @enum {string|null}
             */
            evidence_required?: "hardware-attested" | "hardware-asserted" | "software" | "claim" | null;
            name?: components["schemas"]["Name"];
            streams?: components["schemas"]["Streams"];
            topic_mapping?: components["schemas"]["TopicMapping"];
        };
        User: {
            created_at: components["schemas"]["Time"];
            /** @description Cannot sign in */
            disabled: boolean;
            id: components["schemas"]["UserId"];
            last_sign_in: components["schemas"]["TimeOrNull"];
            name: components["schemas"]["UserName"];
            revision: components["schemas"]["Revision"];
            roles: components["schemas"]["Roles"];
            sites: components["schemas"]["SiteScope"];
            updated_at: components["schemas"]["Time"];
        };
        UserCreate: {
            /**
             * @description Cannot sign in
             * @default false
             */
            disabled: boolean;
            name: components["schemas"]["UserName"];
            password: components["schemas"]["Password"];
            roles: components["schemas"]["Roles"];
            sites?: components["schemas"]["SiteScope"];
        };
        /** @description User */
        UserId: string;
        UserList: {
            /** @description This page */
            items: components["schemas"]["User"][];
            next_cursor: components["schemas"]["NextCursor"];
            total_estimate?: components["schemas"]["TotalEstimate"];
        };
        /** @description Name to sign in with, unique, case ignored */
        UserName: string;
        UserPatch: {
            /** @description Cannot sign in */
            disabled?: boolean;
            name?: components["schemas"]["UserName"];
            password?: components["schemas"]["Password"];
            roles?: components["schemas"]["Roles"];
            sites?: components["schemas"]["SiteScope"];
        };
        /** @description A value, in the unit of its metric */
        Value: number | string | boolean;
        Version: {
            /** @description Version of this contract */
            api: string;
            /** @description Source revision */
            commit: string;
            /** @description Version of the device protocol */
            device_protocol: number;
            started_at?: components["schemas"]["Time"];
            /** @description Version of the server */
            version: string;
        };
    };
    responses: {
        /** @description The device */
        Device: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Device"];
            };
        };
        /** @description Server-sent events; `x-sse-events` gives the schema of `data` for each event */
        EventStream: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "text/event-stream": string;
            };
        };
        /** @description What went wrong and the mend */
        Problem: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Signed in, with a cookie */
        SignedIn: {
            headers: {
                "Set-Cookie": components["headers"]["SetCookie"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Session"];
            };
        };
        /** @description The site */
        Site: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Site"];
            };
        };
        /** @description The token, without its secret */
        Token: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Token"];
            };
        };
        /** @description The twin; its ETag is the version of `desired` */
        Twin: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Twin"];
            };
        };
        /** @description The device type */
        Type: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["DeviceType"];
            };
        };
        /** @description The user */
        User: {
            headers: {
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["User"];
            };
        };
    };
    parameters: {
        /** @description Claim */
        claim_id: components["schemas"]["ClaimId"];
        /** @description Only this state */
        claim_state: components["schemas"]["ClaimState"];
        /** @description Command */
        command_id: components["schemas"]["CommandId"];
        /** @description Only these states; may repeat */
        command_state: components["schemas"]["CommandState"][];
        /** @description `next_cursor` of the page before; same filters */
        cursor: string;
        /** @description Only of this device */
        device_filter: components["schemas"]["DeviceId"];
        /** @description Device */
        device_id: components["schemas"]["DeviceId"];
        /** @description Part of the name, id, tag or address, case ignored */
        device_q: string;
        /** @description Order; a minus turns it round; ties by id */
        device_sort: "name" | "-name" | "state" | "-state" | "type_name" | "-type_name" | "site_name" | "-site_name" | "last_seen" | "-last_seen" | "created_at" | "-created_at";
        /** @description Only these states; may repeat */
        device_state: components["schemas"]["DeviceState"][];
        /** @description SHA-256 of the endorsement key */
        endorsement: components["schemas"]["Sha256Hex"];
        /** @description severity, kind, device, or a field of events */
        event_by: string;
        /** @description Only these kinds; may repeat */
        event_kind: components["schemas"]["EventKind"][];
        /** @description In the query language: words, "phrases", field:value, field>=10, 10.0.0.0/8, prefix*, *part*, AND, OR, NOT, (...) */
        event_q: string;
        /** @description This severity or worse */
        event_severity: components["schemas"]["Severity"];
        /** @description Seconds of a step of the histogram */
        event_step: number;
        /** @description How many of the most frequent values */
        event_values: number;
        /** @description SHA-256 of the certificate */
        fingerprint: components["schemas"]["Sha256Hex"];
        /** @description From this time on */
        from: components["schemas"]["Time"];
        /** @description Any string that is new for each intent, such as a UUID */
        idempotency_key: string;
        /** @description ETag that was read, or `*` */
        if_match: string;
        /** @description Job */
        job_id: components["schemas"]["JobId"];
        /** @description Only this state */
        job_state: components["schemas"]["JobState"];
        /** @description Id of the last event seen */
        last_event_id: string;
        /** @description Most items in one page */
        limit: number;
        /** @description Only devices that are online (or not) */
        online_filter: boolean;
        /** @description Part of the name, case ignored */
        q: string;
        /** @description Sequence number of an audit entry */
        seq: number;
        /** @description Only these sites; may repeat */
        site_filter: components["schemas"]["SiteId"][];
        /** @description Site */
        site_id: components["schemas"]["SiteId"];
        /** @description Only these devices, at most 200; may repeat, or name several in one value with commas between */
        stream_device: components["schemas"]["DeviceId"][];
        /** @description Key of the tag */
        tag: components["schemas"]["TagKey"];
        /** @description `key` or `key=value`; all of several must match */
        tag_filter: string[];
        /** @description Before this time */
        to: components["schemas"]["Time"];
        /** @description Token or service credential */
        token_id: components["schemas"]["TokenId"];
        /** @description Only this kind */
        token_kind: components["schemas"]["TokenKind"];
        /** @description Only these types; may repeat */
        type_filter: components["schemas"]["TypeId"][];
        /** @description Device type */
        type_id: components["schemas"]["TypeId"];
        /** @description User */
        user_id: components["schemas"]["UserId"];
    };
    requestBodies: never;
    headers: {
        /** @description Ties archive and ring together */
        BackupId: string;
        /** @description Revision of the resource, for If-Match */
        ETag: string;
        /** @description Id of this request, also in log and audit */
        RequestId: string;
        /** @description Seconds until another attempt makes sense */
        RetryAfter: number;
        /** @description The session cookie */
        SetCookie: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    download_agent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description System and processor */
                platform: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The binary */
            200: {
                headers: {
                    /** @description The digest again */
                    ETag?: string;
                    /** @description RFC 9530, `sha-256=:<base64>:` */
                    "Repr-Digest"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description Unchanged: If-None-Match holds its ETag */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Alive */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    get_server_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description OpenMetrics text */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/openmetrics-text": string;
                    "text/plain": string;
                };
            };
        };
    };
    get_problem_page: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Problem code */
                code: components["schemas"]["ProblemCode"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                    "text/markdown": string;
                };
            };
        };
    };
    get_readiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Ready */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    get_agent_downloads: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The downloads */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentDownloads"];
                };
            };
        };
    };
    list_audit: {
        parameters: {
            query?: {
                /** @description Operation id, or internal action such as `device.enrolled` */
                action?: string;
                /** @description Id of who did it */
                actor?: string;
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description First sequence number */
                from_seq?: number;
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description Id of what it was done to */
                object?: string;
                /** @description Last sequence number, included */
                to_seq?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditList"];
                };
            };
        };
    };
    prove_audit_entry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Sequence number of an audit entry */
                seq: components["parameters"]["seq"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The bundle */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditProof"];
                };
            };
        };
    };
    get_audit_checkpoint: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The checkpoint */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Checkpoint"];
                };
            };
        };
    };
    verify_audit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AuditVerify"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description What was found */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditVerdict"];
                };
            };
        };
    };
    create_backup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The archive */
            200: {
                headers: {
                    "Holdfast-Backup-Id": components["headers"]["BackupId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
        };
    };
    create_ring_backup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RingBackup"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The ring */
            200: {
                headers: {
                    "Holdfast-Backup-Id": components["headers"]["BackupId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
        };
    };
    get_certificate_forecast: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The forecast */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CertificateForecast"];
                };
            };
        };
    };
    list_claims: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description Only this state */
                state?: components["parameters"]["claim_state"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClaimList"];
                };
            };
        };
    };
    create_claim: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClaimCreate"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The claim, with its secret */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClaimCreated"];
                };
            };
        };
    };
    get_claim: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Claim */
                claim_id: components["parameters"]["claim_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The claim */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Claim"];
                };
            };
        };
    };
    revoke_claim: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Claim */
                claim_id: components["parameters"]["claim_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    stream_claim_progress: {
        parameters: {
            query?: never;
            header?: {
                /** @description Id of the last event seen */
                "Last-Event-ID"?: components["parameters"]["last_event_id"];
            };
            path: {
                /** @description Claim */
                claim_id: components["parameters"]["claim_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["EventStream"];
        };
    };
    list_commands: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Only of this device */
                device_id?: components["parameters"]["device_filter"];
                /** @description From this time on */
                from?: components["parameters"]["from"];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description Only these states; may repeat */
                state?: components["parameters"]["command_state"];
                /** @description Before this time */
                to?: components["parameters"]["to"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandList"];
                };
            };
        };
    };
    get_command: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Command */
                command_id: components["parameters"]["command_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The command */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Command"];
                };
            };
        };
    };
    cancel_command: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path: {
                /** @description Command */
                command_id: components["parameters"]["command_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The command */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Command"];
                };
            };
        };
    };
    get_config: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The configuration */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Config"];
                };
            };
        };
    };
    list_devices: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description Only devices that are online (or not) */
                online?: components["parameters"]["online_filter"];
                /** @description Part of the name, id, tag or address, case ignored */
                q?: components["parameters"]["device_q"];
                /** @description Only these sites; may repeat */
                site_id?: components["parameters"]["site_filter"];
                /** @description Order; a minus turns it round; ties by id */
                sort?: components["parameters"]["device_sort"];
                /** @description Only these states; may repeat */
                state?: components["parameters"]["device_state"];
                /** @description `key` or `key=value`; all of several must match */
                tag?: components["parameters"]["tag_filter"];
                /** @description Only these types; may repeat */
                type_id?: components["parameters"]["type_filter"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceList"];
                };
            };
        };
    };
    get_device: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Device"];
        };
    };
    update_device: {
        parameters: {
            query?: never;
            header: {
                /** @description ETag that was read, or `*` */
                "If-Match": components["parameters"]["if_match"];
            };
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["DevicePatch"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Device"];
        };
    };
    get_device_attestation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Its TPM and its history */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceAttestation"];
                };
            };
        };
    };
    accept_device_attestation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Its TPM and its history */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceAttestation"];
                };
            };
        };
    };
    run_command: {
        parameters: {
            query?: {
                /** @description Seconds to wait for the end of the command */
                wait_s?: number;
            };
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CommandCreate"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The command as it stands */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Command"];
                };
            };
        };
    };
    get_decommission: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The receipt, as far as it has come */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Decommission"];
                };
            };
        };
    };
    decommission_device: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DecommissionRequest"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The receipt */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Decommission"];
                };
            };
        };
    };
    list_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description All metrics, by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricList"];
                };
            };
        };
    };
    quarantine_device: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonRequired"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Device"];
        };
    };
    release_device: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ReasonOptional"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Device"];
        };
    };
    replace_device: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplaceRequest"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The claim, with its secret */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClaimCreated"];
                };
            };
        };
    };
    list_replacements: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The replacements */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplacementList"];
                };
            };
        };
    };
    revoke_device: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonRequired"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Device"];
        };
    };
    set_device_tag: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
                /** @description Key of the tag */
                tag: components["parameters"]["tag"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TagValue"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Device"];
        };
    };
    delete_device_tag: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
                /** @description Key of the tag */
                tag: components["parameters"]["tag"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Device"];
        };
    };
    query_telemetry: {
        parameters: {
            query: {
                /** @description Length of a bucket in seconds */
                bucket_s?: number;
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description From this time on */
                from?: components["parameters"]["from"];
                /** @description Which values a bucket holds, separated by commas; default all */
                functions?: components["schemas"]["BucketFunction"][];
                /** @description Most points in one page */
                limit?: number;
                /** @description Metric, `<stream>.<field>`; may repeat with `bucket_s` */
                metric: components["schemas"]["MetricName"][];
                /** @description Order of raw points by time */
                order?: "asc" | "desc";
                /** @description Range back from now: a number and s, m, h, d or w; not together with `from` */
                since?: string;
                /** @description Before this time */
                to?: components["parameters"]["to"];
            };
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Points or buckets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RawPoints"] | components["schemas"]["Buckets"];
                };
            };
        };
    };
    tail_telemetry: {
        parameters: {
            query?: {
                /** @description Only these metrics; may repeat */
                metric?: components["schemas"]["MetricName"][];
            };
            header?: {
                /** @description Id of the last event seen */
                "Last-Event-ID"?: components["parameters"]["last_event_id"];
            };
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["EventStream"];
        };
    };
    get_device_timeline: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description From this time on */
                from?: components["parameters"]["from"];
                /** @description Only these kinds; may repeat */
                kind?: components["parameters"]["event_kind"];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description In the query language: words, "phrases", field:value, field>=10, 10.0.0.0/8, prefix*, *part*, AND, OR, NOT, (...) */
                q?: components["parameters"]["event_q"];
                /** @description This severity or worse */
                severity?: components["parameters"]["event_severity"];
                /** @description Before this time */
                to?: components["parameters"]["to"];
            };
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timeline"];
                };
            };
        };
    };
    get_twin: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Twin"];
        };
    };
    replace_desired: {
        parameters: {
            query?: never;
            header: {
                /** @description ETag that was read, or `*` */
                "If-Match": components["parameters"]["if_match"];
            };
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TwinDocument"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Twin"];
        };
    };
    update_desired: {
        parameters: {
            query?: never;
            header: {
                /** @description ETag that was read, or `*` */
                "If-Match": components["parameters"]["if_match"];
            };
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["TwinDocument"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Twin"];
        };
    };
    diff_twin: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device */
                device_id: components["parameters"]["device_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The differences */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TwinDiff"];
                };
            };
        };
    };
    get_device_facets: {
        parameters: {
            query?: {
                /** @description Only devices that are online (or not) */
                online?: components["parameters"]["online_filter"];
                /** @description Part of the name, id, tag or address, case ignored */
                q?: components["parameters"]["device_q"];
                /** @description Only these sites; may repeat */
                site_id?: components["parameters"]["site_filter"];
                /** @description Only these states; may repeat */
                state?: components["parameters"]["device_state"];
                /** @description `key` or `key=value`; all of several must match */
                tag?: components["parameters"]["tag_filter"];
                /** @description Only these types; may repeat */
                type_id?: components["parameters"]["type_filter"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The facets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceFacets"];
                };
            };
        };
    };
    list_endorsement_roots: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description All of them */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndorsementRootList"];
                };
            };
        };
    };
    add_endorsement_root: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndorsementRootCreate"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The root */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndorsementRoot"];
                };
            };
        };
    };
    remove_endorsement_root: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256 of the certificate */
                fingerprint: components["parameters"]["fingerprint"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    list_endorsements: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndorsementList"];
                };
            };
        };
    };
    register_endorsement: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EndorsementCreate"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The endorsement key */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Endorsement"];
                };
            };
        };
    };
    release_endorsement: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256 of the endorsement key */
                endorsement: components["parameters"]["endorsement"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Forgotten */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    list_enrolments: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description Only this state */
                state?: components["schemas"]["EnrolmentState"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrolmentList"];
                };
            };
        };
    };
    approve_enrolment: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path: {
                /** @description SHA-256 of the public key that asked */
                key_sha256: components["schemas"]["KeyHash"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["EnrolmentApproval"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The request */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrolmentRequest"];
                };
            };
        };
    };
    refuse_enrolment: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path: {
                /** @description SHA-256 of the public key that asked */
                key_sha256: components["schemas"]["KeyHash"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonRequired"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The request */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrolmentRequest"];
                };
            };
        };
    };
    preview_erasure: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A device, or a site: then all its devices */
                subject: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The find */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erasure"];
                };
            };
        };
    };
    erase_subject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A device, or a site: then all its devices */
                subject: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EraseOrder"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The receipt */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erasure"];
                };
            };
        };
    };
    query_events: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Only of this device */
                device_id?: components["parameters"]["device_filter"];
                /** @description From this time on */
                from?: components["parameters"]["from"];
                /** @description Only these kinds; may repeat */
                kind?: components["parameters"]["event_kind"];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description In the query language: words, "phrases", field:value, field>=10, 10.0.0.0/8, prefix*, *part*, AND, OR, NOT, (...) */
                q?: components["parameters"]["event_q"];
                /** @description This severity or worse */
                severity?: components["parameters"]["event_severity"];
                /** @description Before this time */
                to?: components["parameters"]["to"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventList"];
                };
            };
        };
    };
    count_events: {
        parameters: {
            query?: {
                /** @description severity, kind, device, or a field of events */
                by?: components["parameters"]["event_by"];
                /** @description Only of this device */
                device_id?: components["parameters"]["device_filter"];
                /** @description From this time on */
                from?: components["parameters"]["from"];
                /** @description Only these kinds; may repeat */
                kind?: components["parameters"]["event_kind"];
                /** @description How many of the most frequent values */
                limit?: components["parameters"]["event_values"];
                /** @description In the query language: words, "phrases", field:value, field>=10, 10.0.0.0/8, prefix*, *part*, AND, OR, NOT, (...) */
                q?: components["parameters"]["event_q"];
                /** @description This severity or worse */
                severity?: components["parameters"]["event_severity"];
                /** @description Seconds of a step of the histogram */
                step_s?: components["parameters"]["event_step"];
                /** @description Before this time */
                to?: components["parameters"]["to"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Counts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventCounts"];
                };
            };
        };
    };
    explain_events: {
        parameters: {
            query?: {
                /** @description Only of this device */
                device_id?: components["parameters"]["device_filter"];
                /** @description From this time on */
                from?: components["parameters"]["from"];
                /** @description Only these kinds; may repeat */
                kind?: components["parameters"]["event_kind"];
                /** @description In the query language: words, "phrases", field:value, field>=10, 10.0.0.0/8, prefix*, *part*, AND, OR, NOT, (...) */
                q?: components["parameters"]["event_q"];
                /** @description This severity or worse */
                severity?: components["parameters"]["event_severity"];
                /** @description Before this time */
                to?: components["parameters"]["to"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The plan */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPlan"];
                };
            };
        };
    };
    tail_events: {
        parameters: {
            query?: {
                /** @description Only of this device */
                device_id?: components["parameters"]["device_filter"];
                /** @description Only these kinds; may repeat */
                kind?: components["parameters"]["event_kind"];
                /** @description In the query language: words, "phrases", field:value, field>=10, 10.0.0.0/8, prefix*, *part*, AND, OR, NOT, (...) */
                q?: components["parameters"]["event_q"];
                /** @description This severity or worse */
                severity?: components["parameters"]["event_severity"];
            };
            header?: {
                /** @description Id of the last event seen */
                "Last-Event-ID"?: components["parameters"]["last_event_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["EventStream"];
        };
    };
    list_findings: {
        parameters: {
            query?: {
                /** @description Only this kind */
                kind?: components["schemas"]["FindingKind"];
                /** @description Only those that nobody has acknowledged */
                open?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The findings */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FindingList"];
                };
            };
        };
    };
    acknowledge_finding: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FindingName"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The finding */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Finding"];
                };
            };
        };
    };
    list_jobs: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Only this kind of job */
                kind?: string;
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description Only this state */
                state?: components["parameters"]["job_state"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobList"];
                };
            };
        };
    };
    get_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Job */
                job_id: components["parameters"]["job_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The job */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
        };
    };
    retry_job: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path: {
                /** @description Job */
                job_id: components["parameters"]["job_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The job */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
        };
    };
    list_orphans: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description What was found */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Orphans"];
                };
            };
        };
    };
    list_registrations: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistrationList"];
                };
            };
        };
    };
    import_registrations: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RegistrationImport"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description What was taken */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistrationsImported"];
                };
            };
        };
    };
    delete_registration: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Serial or pattern */
                serial: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Forgotten */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_retention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description All classes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionClasses"];
                };
            };
        };
    };
    set_retention: {
        parameters: {
            query?: {
                /** @description Only tell what would go */
                dry_run?: boolean;
            };
            header?: never;
            path: {
                /** @description `default`, `events`, or a class of your own */
                class_name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RetentionRule"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The class and what goes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionChange"];
                };
            };
        };
    };
    preview_retention: {
        parameters: {
            query?: {
                /** @description Before this time */
                to?: components["parameters"]["to"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The steps, oldest day first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionPreview"];
                };
            };
        };
    };
    get_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The caller */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    create_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignInRequest"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            201: components["responses"]["SignedIn"];
        };
    };
    delete_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Signed out */
            204: {
                headers: {
                    "Set-Cookie": components["headers"]["SetCookie"];
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_setup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Whether an administrator still has to be made */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SetupStatus"];
                };
            };
        };
    };
    complete_setup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetupRequest"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            201: components["responses"]["SignedIn"];
        };
    };
    list_sites: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description Part of the name, case ignored */
                q?: components["parameters"]["q"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SiteList"];
                };
            };
        };
    };
    create_site: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SiteCreate"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            201: components["responses"]["Site"];
        };
    };
    get_site: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Site */
                site_id: components["parameters"]["site_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Site"];
        };
    };
    delete_site: {
        parameters: {
            query?: never;
            header: {
                /** @description ETag that was read, or `*` */
                "If-Match": components["parameters"]["if_match"];
            };
            path: {
                /** @description Site */
                site_id: components["parameters"]["site_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    update_site: {
        parameters: {
            query?: never;
            header: {
                /** @description ETag that was read, or `*` */
                "If-Match": components["parameters"]["if_match"];
            };
            path: {
                /** @description Site */
                site_id: components["parameters"]["site_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["SitePatch"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Site"];
        };
    };
    stream_changes: {
        parameters: {
            query?: {
                /** @description Only these devices, at most 200; may repeat, or name several in one value with commas between */
                device_id?: components["parameters"]["stream_device"];
            };
            header?: {
                /** @description Id of the last event seen */
                "Last-Event-ID"?: components["parameters"]["last_event_id"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["EventStream"];
        };
    };
    compare_telemetry: {
        parameters: {
            query: {
                /** @description Length of a bucket in seconds */
                bucket_s: number;
                /** @description Device; may repeat */
                device_id: components["schemas"]["DeviceId"][];
                /** @description none: starts without any value are left out; null: every start is there; previous: the value before; linear: between two numbers */
                fill?: "none" | "null" | "previous" | "linear";
                /** @description From this time on */
                from?: components["parameters"]["from"];
                /** @description Which values, separated by commas; default `mean` */
                functions?: components["schemas"]["BucketFunction"][];
                /** @description `tag:` and the key of a tag; not with first and last */
                group_by?: string;
                /** @description Metric, `<stream>.<field>`; may repeat */
                metric: components["schemas"]["MetricName"][];
                /** @description Range back from now: a number and s, m, h, d or w; not together with `from` */
                since?: string;
                /** @description Before this time */
                to?: components["parameters"]["to"];
                /** @description Keep so many lines of each metric and function */
                top?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The lines */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlignedTelemetry"];
                };
            };
        };
    };
    list_newest_readings: {
        parameters: {
            query: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Only of these devices; may repeat */
                device_id?: components["schemas"]["DeviceId"][];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description Metric, `<stream>.<field>`; may repeat */
                metric: components["schemas"]["MetricName"][];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewestReadings"];
                };
            };
        };
    };
    list_tokens: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Only this kind */
                kind?: components["parameters"]["token_kind"];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description Part of the name, case ignored */
                q?: components["parameters"]["q"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenList"];
                };
            };
        };
    };
    create_token: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenCreate"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description The token, with its secret */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenWithSecret"];
                };
            };
        };
    };
    get_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Token or service credential */
                token_id: components["parameters"]["token_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Token"];
        };
    };
    revoke_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Token or service credential */
                token_id: components["parameters"]["token_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    update_token: {
        parameters: {
            query?: never;
            header: {
                /** @description ETag that was read, or `*` */
                "If-Match": components["parameters"]["if_match"];
            };
            path: {
                /** @description Token or service credential */
                token_id: components["parameters"]["token_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["TokenPatch"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Token"];
        };
    };
    list_types: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description Part of the name, case ignored */
                q?: components["parameters"]["q"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TypeList"];
                };
            };
        };
    };
    create_type: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TypeCreate"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            201: components["responses"]["Type"];
        };
    };
    get_type: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Device type */
                type_id: components["parameters"]["type_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Type"];
        };
    };
    delete_type: {
        parameters: {
            query?: never;
            header: {
                /** @description ETag that was read, or `*` */
                "If-Match": components["parameters"]["if_match"];
            };
            path: {
                /** @description Device type */
                type_id: components["parameters"]["type_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    update_type: {
        parameters: {
            query?: never;
            header: {
                /** @description ETag that was read, or `*` */
                "If-Match": components["parameters"]["if_match"];
            };
            path: {
                /** @description Device type */
                type_id: components["parameters"]["type_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["TypePatch"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["Type"];
        };
    };
    list_users: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before; same filters */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items in one page */
                limit?: components["parameters"]["limit"];
                /** @description Part of the name, case ignored */
                q?: components["parameters"]["q"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description One page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserList"];
                };
            };
        };
    };
    create_user: {
        parameters: {
            query?: never;
            header?: {
                /** @description Any string that is new for each intent, such as a UUID */
                "Idempotency-Key"?: components["parameters"]["idempotency_key"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserCreate"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            201: components["responses"]["User"];
        };
    };
    get_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description User */
                user_id: components["parameters"]["user_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["User"];
        };
    };
    delete_user: {
        parameters: {
            query?: never;
            header: {
                /** @description ETag that was read, or `*` */
                "If-Match": components["parameters"]["if_match"];
            };
            path: {
                /** @description User */
                user_id: components["parameters"]["user_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    update_user: {
        parameters: {
            query?: never;
            header: {
                /** @description ETag that was read, or `*` */
                "If-Match": components["parameters"]["if_match"];
            };
            path: {
                /** @description User */
                user_id: components["parameters"]["user_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["UserPatch"];
            };
        };
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            200: components["responses"]["User"];
        };
    };
    get_version: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            "4XX": components["responses"]["Problem"];
            "5XX": components["responses"]["Problem"];
            /** @description Version and build */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Version"];
                };
            };
        };
    };
}

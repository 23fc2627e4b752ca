"""What the programs that serve share: settings, command line, log, ports, probes, gRPC, shutdown.

Belongs here: what two of them would otherwise write twice, at their rim.
Does not belong here: a decision, or anything that only one program needs.
May import: `api`. May be imported by: the programs that serve, `collector` (`grpc_client` alone),
`kube` (the log alone), `runner` and `trialwatch`.

| module | what for |
|---|---|
| `settings`, `flag_values`, `shared_settings` | a program's settings, one row each |
| `main` | the command line: help, settings, exit status |
| `logs` | the log: one JSON object a line |
| `life` | signals, the port file, background work |
| `grpc`, `http`, `metrics` | a server of each kind |
| `every_address` | a server without a host: IPv4 and IPv6 |
| `metric_families` | the declarations of a program's metrics |
| `error_interceptor`, `call_limits` | how each gRPC call ends, and what it may use of the server |
| `fair_budget`, `fair_streams` | which client is next when there is not enough for all |
| `grpc_client`, `client_security` | TLS and tokens of a gRPC client |
| `grpc_tls`, `server_security`, `certificate_expiry` | TLS of a gRPC server |
| `access` | who calls a gRPC server, by the token of each call |
| `reset_connections` | a TLS client whose server resets the connection |
| `authority_change` | ends a program when the authorities that it trusts have changed |
| `tokens` | the tokens of service accounts, checked offline |

Each module imports only the libraries that it needs, so a program's image has those alone.
"""

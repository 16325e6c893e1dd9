import { readContext, selectedContext } from './nats-context.js'

/** The options of a command that say where to connect; the names are those of the nats tool. */
export interface ConnectionFlags {
  /** Comma-separated addresses. */
  readonly server?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly token?: string | undefined
  readonly creds?: string | undefined
  readonly nkey?: string | undefined
  readonly jwt?: string | undefined
  readonly seed?: string | undefined
  readonly tlscert?: string | undefined
  readonly tlskey?: string | undefined
  readonly tlsca?: string | undefined
  readonly tlsfirst?: boolean | undefined
  readonly inboxPrefix?: string | undefined
  readonly jsDomain?: string | undefined
  /** A duration, such as `5s`. */
  readonly timeout?: string | undefined
  /** A name; `false` (from `--no-context`) leaves the selected context out. */
  readonly context?: string | boolean | undefined
}

/** One value, and the name of the place it was found in. Empty values are left out: they mean "not set". */
export interface Given {
  readonly value: string
  readonly from: string
}

export type SettingName =
  | 'servers'
  | 'user'
  | 'password'
  | 'token'
  | 'creds'
  | 'nkey'
  | 'jwt'
  | 'seed'
  | 'cert'
  | 'key'
  | 'ca'
  | 'tlsFirst'
  | 'inboxPrefix'
  | 'jetstreamDomain'
  | 'timeout'

/** What one place says: the flags, the environment or a context. */
export type Source = { readonly [name in SettingName]?: Given }

export function sourceFromFlags(flags: ConnectionFlags): Source {
  return source({
    servers: ['--server', flags.server],
    user: ['--user', flags.user],
    password: ['--password', flags.password],
    token: ['--token', flags.token],
    creds: ['--creds', flags.creds],
    nkey: ['--nkey', flags.nkey],
    jwt: ['--jwt', flags.jwt],
    seed: ['--seed', flags.seed],
    cert: ['--tlscert', flags.tlscert],
    key: ['--tlskey', flags.tlskey],
    ca: ['--tlsca', flags.tlsca],
    tlsFirst: ['--tlsfirst', flags.tlsfirst === true ? 'true' : undefined],
    inboxPrefix: ['--inbox-prefix', flags.inboxPrefix],
    jetstreamDomain: ['--js-domain', flags.jsDomain],
    timeout: ['--timeout', flags.timeout],
  })
}

/** `MILLRACE_NATS_URL` is ours, for when `NATS_URL` is meant for another program; the rest the nats tool reads too. */
export function sourceFromEnvironment(env: NodeJS.ProcessEnv): Source {
  const ours = source({ servers: ['MILLRACE_NATS_URL', env['MILLRACE_NATS_URL']] })
  const named = (name: string): readonly [string, string | undefined] => [name, env[name]]
  return {
    ...source({
      servers: named('NATS_URL'),
      user: named('NATS_USER'),
      password: named('NATS_PASSWORD'),
      token: named('NATS_TOKEN'),
      creds: named('NATS_CREDS'),
      nkey: named('NATS_NKEY'),
      jwt: named('NATS_JWT'),
      seed: named('NATS_SEED'),
      cert: named('NATS_CERT'),
      key: named('NATS_KEY'),
      ca: named('NATS_CA'),
      inboxPrefix: named('MILLRACE_NATS_INBOX_PREFIX'),
      jetstreamDomain: named('MILLRACE_NATS_DOMAIN'),
      timeout: named('NATS_TIMEOUT'),
    }),
    ...ours,
  }
}

/**
 * The context that counts: the one named by flag or `NATS_CONTEXT`; else, if no server is named anywhere, the selected
 * one. A server that was named without a context never gets the credentials of whatever context happens to be selected.
 * @throws CONTEXT_NOT_FOUND, CONTEXT_INVALID
 */
export async function sourceFromContext(
  flags: ConnectionFlags,
  env: NodeJS.ProcessEnv,
  serverIsNamed: boolean,
): Promise<Source | undefined> {
  const named = typeof flags.context === 'string' ? flags.context : env['NATS_CONTEXT'] || undefined
  const name = flags.context === false ? undefined : (named ?? (serverIsNamed ? undefined : await selectedContext(env)))
  if (name === undefined) return undefined
  const context = await readContext(name, env)
  const from = (field: string, value: string | null | undefined): readonly [string, string | undefined] => [
    `context "${name}", ${field}`,
    value ?? undefined,
  ]
  return source({
    servers: [`context "${name}"`, context.url || 'nats://127.0.0.1:4222'],
    user: from('user', context.user),
    password: from('password', context.password),
    token: from('token', context.token),
    creds: from('creds', context.creds),
    nkey: from('nkey', context.nkey),
    jwt: from('user_jwt', context.user_jwt),
    seed: from('user_seed', context.user_seed),
    cert: from('cert', context.cert),
    key: from('key', context.key),
    ca: from('ca', context.ca),
    tlsFirst: from('tls_first', context.tls_first === true ? 'true' : undefined),
    inboxPrefix: from('inbox_prefix', context.inbox_prefix),
    jetstreamDomain: from('jetstream_domain', context.jetstream_domain),
  })
}

function source(values: {
  readonly [name in SettingName]?: readonly [from: string, value: string | undefined]
}): Source {
  const given = Object.entries(values)
    .filter(([, [, value]]) => value !== undefined && value !== '')
    .map(([name, [from, value]]) => [name, { from, value }])
  return Object.fromEntries(given) as Source
}

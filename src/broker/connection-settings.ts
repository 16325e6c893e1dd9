import { fault, isFault } from '../error/millrace-error.js'
import { parseDuration } from '../time/duration.js'
import { authentication } from './authentication.js'
import {
  sourceFromContext,
  sourceFromEnvironment,
  sourceFromFlags,
  type ConnectionFlags,
  type SettingName,
  type Source,
} from './connection-sources.js'
import { parseAddresses, type ServerAddresses } from './server-address.js'
import { settingFile } from './setting-file.js'

/** How the client proves who it is. */
export type Authentication =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'user'; readonly user: string; readonly password: string }
  | { readonly kind: 'creds'; readonly file: string }
  | { readonly kind: 'nkey'; readonly file: string }
  | { readonly kind: 'jwt'; readonly jwt: string; readonly seed: string }

/** Files of a TLS connection. */
export interface TlsSettings {
  readonly cert?: string
  readonly key?: string
  readonly ca?: string
  readonly handshakeFirst?: boolean
}

/** Everything needed to connect to NATS, parsed once. */
export interface ConnectionSettings {
  readonly servers: readonly string[]
  readonly auth: Authentication
  readonly tls?: TlsSettings
  /** Shown in the server’s connection list. */
  readonly name: string
  readonly inboxPrefix?: string
  readonly jetstreamDomain?: string
  /** Timeout of single requests, in ms. */
  readonly timeout: number
  /** Where these settings come from, for messages: `--server`, `NATS_URL`, `context "prod"`, … */
  readonly origin: string
}

export interface SettingsInput {
  readonly env: NodeJS.ProcessEnv
  readonly flags?: ConnectionFlags
  /** Shown in the server’s connection list; default `millrace`. */
  readonly name?: string
}

const DEFAULT_TIMEOUT = '5s'

/**
 * Decides where to connect and as whom, from flags, then the environment, then a NATS context; each value is taken
 * from the first that has it. Files are only looked at, contexts only read.
 * @returns undefined when no server is named and no context is selected: what then happens is the caller’s choice
 * @throws SETTING_INVALID naming the flag, variable or field · CONTEXT_NOT_FOUND · CONTEXT_INVALID
 */
export async function connectionSettings(input: SettingsInput): Promise<ConnectionSettings | undefined> {
  const { env, flags = {} } = input
  const direct = [sourceFromFlags(flags), sourceFromEnvironment(env)]
  const context = await sourceFromContext(flags, env, first(direct, 'servers') !== undefined)
  const given = context === undefined ? direct : [...direct, context]
  const servers = first(given, 'servers')
  if (servers === undefined) return undefined
  const addresses = parseAddresses(servers)
  const sources = given.map((source) => (source.servers === servers ? withAddress(source, addresses) : source))
  return settings(sources, addresses, { env, origin: servers.from, name: input.name ?? 'millrace' })
}

async function settings(
  sources: readonly Source[],
  { servers, tls: isTls }: ServerAddresses,
  { env, origin, name }: { env: NodeJS.ProcessEnv; origin: string; name: string },
): Promise<ConnectionSettings> {
  const auth = authentication(sources)
  const tls = await tlsSettings(sources, env)
  const inboxPrefix = literal(sources, 'inboxPrefix')
  const jetstreamDomain = literal(sources, 'jetstreamDomain')
  return Object.freeze({
    servers: Object.freeze([...servers]),
    auth: Object.freeze('file' in auth ? { ...auth, file: (await file(sources, auth.kind, env)) ?? auth.file } : auth),
    ...(isTls || tls !== undefined ? { tls: Object.freeze(tls ?? {}) } : {}),
    name,
    ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
    ...(jetstreamDomain === undefined ? {} : { jetstreamDomain }),
    timeout: timeout(sources),
    origin,
  })
}

async function tlsSettings(sources: readonly Source[], env: NodeJS.ProcessEnv): Promise<TlsSettings | undefined> {
  const cert = first(sources, 'cert')
  const key = first(sources, 'key')
  const lone = cert === undefined ? key : key === undefined ? cert : undefined
  if (lone !== undefined) throw fault('SETTING_INVALID', `${lone.from}: a certificate and its key go together`)
  const tls: TlsSettings = {
    ...named('cert', await file(sources, 'cert', env)),
    ...named('key', await file(sources, 'key', env)),
    ...named('ca', await file(sources, 'ca', env)),
    ...(first(sources, 'tlsFirst') === undefined ? {} : { handshakeFirst: true }),
  }
  return Object.keys(tls).length === 0 ? undefined : tls
}

function named<Name extends string>(name: Name, value: string | undefined): { readonly [name in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [name in Name]: string })
}

async function file(
  sources: readonly Source[],
  name: SettingName,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const given = first(sources, name)
  return given === undefined ? undefined : settingFile(given, env)
}

function timeout(sources: readonly Source[]): number {
  const { value, from } = first(sources, 'timeout') ?? { value: DEFAULT_TIMEOUT, from: 'the default' }
  try {
    const ms = parseDuration(value)
    if (ms >= 1) return ms
  } catch (error) {
    if (!isFault(error, 'DURATION_INVALID')) throw error
  }
  throw fault('SETTING_INVALID', `${from}: ${JSON.stringify(value)} is not a duration such as 5s`)
}

/** A setting that becomes the beginning of a subject. */
function literal(sources: readonly Source[], name: SettingName): string | undefined {
  const given = first(sources, name)
  if (given === undefined || /^[^\s.*>]+(?:\.[^\s.*>]+)*$/.test(given.value)) return given?.value
  throw fault('SETTING_INVALID', `${given.from}: ${JSON.stringify(given.value)} is not a literal subject`)
}

function first(sources: readonly Source[], name: SettingName): Source[SettingName] {
  return sources.find((source) => source[name] !== undefined)?.[name]
}

/** Credentials in an address count for the place that the address comes from, unless that place names some itself. */
function withAddress(source: Source, { user, password }: ServerAddresses): Source {
  if (user === undefined || source.user !== undefined) return source
  return { ...source, user, ...(password === undefined ? {} : { password }) }
}

import { readFileSync } from 'node:fs'
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import {
  connect,
  createInbox,
  credsAuthenticator,
  jwtAuthenticator,
  nkeyAuthenticator,
  PermissionViolationError,
  type Authenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node'
import { fault, messageOf, type MillraceError } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import type { Authentication, ConnectionSettings } from './connection-settings.js'
import { prepareDeliveries } from './deliveries.js'
import { withLinkedRequests } from './linked-requests.js'
import type { Link } from './request.js'
import { checkRequirements, type ServerFacts } from './requirements.js'
import type { Clock } from '../time/clock.js'
import { systemClock } from '../time/system-clock.js'

/** The state of a connection; each variant carries only what is true in it. */
export type ConnectionState =
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'closed'; readonly reason: MillraceError | undefined }

/** What listeners of a connection hear: its states, and what the server denied. */
export type ConnectionStatus =
  ConnectionState | { readonly kind: 'denied'; readonly operation: string; readonly subject: string }

/** A connection to a NATS server that fulfils Millrace’s requirements. Reconnects for ever until it is closed. */
export interface Connection {
  readonly nats: NatsConnection
  readonly manager: JetStreamManager
  readonly server: ServerFacts
  /** `$JS.API`, or that of the JetStream domain. */
  readonly apiPrefix: string
  /** A subject of one’s own for replies, below the prefix that the settings name. */
  newInbox(): string
  readonly state: ConnectionState
  /** Calls `listener` at each change; the returned function stops it. */
  onStatus(listener: (status: ConnectionStatus) => void): () => void
  /**
   * Sends what is buffered, then closes; a server that does not take it within the timeout of the settings is not
   * waited for any longer. Safe to call twice. Never rejects.
   */
  close(): Promise<void>
}

/**
 * Connects and checks the server (API level 4, JetStream enabled).
 * @throws BROKER_UNREACHABLE, BROKER_AUTH_FAILED, JETSTREAM_DISABLED, BROKER_TOO_OLD
 */
export async function connectBroker(settings: ConnectionSettings, clock: Clock = systemClock): Promise<Connection> {
  const nats = await open(settings)
  prepareDeliveries(nats)
  try {
    const link = watch(nats)
    const domain = settings.jetstreamDomain
    const manager = await jetstreamManager(withLinkedRequests(link), {
      timeout: settings.timeout,
      checkAPI: false,
      ...(domain === undefined ? {} : { domain }),
    })
    const server = await checkRequirements(nats, manager)
    let closing: Promise<void> | undefined
    return {
      nats,
      manager,
      server,
      apiPrefix: domain === undefined ? '$JS.API' : `$JS.${domain}.API`,
      newInbox: () => createInbox(settings.inboxPrefix),
      get state() {
        return link.state
      },
      onStatus: (listener) => link.onStatus(listener),
      close: () => (closing ??= end(nats, () => link.state.kind === 'connected', settings.timeout, clock)),
    }
  } catch (error) {
    await nats.close()
    throw asFault(error, `asking ${settings.servers.join(', ')} for JetStream`)
  }
}

async function open(settings: ConnectionSettings): Promise<NatsConnection> {
  const options = clientOptions(settings)
  try {
    return await connect(options)
  } catch (error) {
    const known = asFault(error, 'connecting')
    const detail = `${settings.servers.join(', ')} from ${settings.origin}: ${messageOf(error)}`
    throw fault(known.code === 'BROKER_AUTH_FAILED' ? known.code : 'BROKER_UNREACHABLE', detail, { cause: error })
  }
}

function clientOptions(settings: ConnectionSettings): NodeConnectionOptions {
  const { auth, tls } = settings
  return {
    servers: [...settings.servers],
    name: settings.name,
    timeout: settings.timeout,
    // one promise, timer and stack trace per request halve the speed of the client
    noAsyncTraces: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    // an expired or changed credential may be renewed while we keep trying
    ignoreAuthErrorAbort: true,
    pingInterval: 5_000,
    maxPingOut: 2,
    ...(settings.inboxPrefix === undefined ? {} : { inboxPrefix: settings.inboxPrefix }),
    ...proof(auth),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...(tls.cert === undefined ? {} : { certFile: tls.cert }),
            ...(tls.key === undefined ? {} : { keyFile: tls.key }),
            ...(tls.ca === undefined ? {} : { caFile: tls.ca }),
            ...(tls.handshakeFirst === undefined ? {} : { handshakeFirst: tls.handshakeFirst }),
          },
        }),
  }
}

function proof(auth: Authentication): NodeConnectionOptions {
  switch (auth.kind) {
    case 'none':
      return {}
    case 'token':
      return { token: auth.token }
    case 'user':
      return { user: auth.user, pass: auth.password }
    case 'creds':
      return { authenticator: checked(credsAuthenticator(readCredentials(auth.file)), auth.file) }
    case 'nkey':
      return { authenticator: checked(nkeyAuthenticator(readCredentials(auth.file)), auth.file) }
    case 'jwt':
      return { authenticator: checked(jwtAuthenticator(auth.jwt, new TextEncoder().encode(auth.seed)), 'the JWT') }
  }
}

/** The client would report credentials that cannot be used as a lost connection; this finds out before. */
function checked(authenticator: Authenticator, from: string): Authenticator {
  try {
    authenticator('nonce')
    return authenticator
  } catch (error) {
    throw fault('BROKER_AUTH_FAILED', `${from} cannot be used: ${messageOf(error)}`, { cause: error })
  }
}

function readCredentials(file: string): Uint8Array {
  try {
    return new TextEncoder().encode(readFileSync(file, 'utf8').trim())
  } catch (error) {
    throw fault('BROKER_AUTH_FAILED', `reading ${file}: ${messageOf(error)}`, { cause: error })
  }
}

function watch(nats: NatsConnection): Link {
  const listeners = new Set<(status: ConnectionStatus) => void>()
  let state: ConnectionState = { kind: 'connected' }
  const tell = (status: ConnectionStatus): void => {
    for (const listener of listeners) listener(status)
  }
  const enter = (next: ConnectionState): void => {
    if (state.kind === next.kind || state.kind === 'closed') return
    state = next
    tell(next)
  }
  const follow = async (): Promise<void> => {
    for await (const status of nats.status()) {
      if (status.type === 'disconnect') enter({ kind: 'disconnected' })
      else if (status.type === 'reconnect') enter({ kind: 'connected' })
      else if (status.type === 'error' && status.error instanceof PermissionViolationError)
        tell({ kind: 'denied', operation: status.error.operation, subject: status.error.subject })
    }
  }
  void follow()
  void nats.closed().then((error) => {
    enter({ kind: 'closed', reason: error ? asFault(error, 'connection') : undefined })
  })
  return {
    nats,
    get state() {
      return state
    },
    onStatus(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

async function end(nats: NatsConnection, connected: () => boolean, limit: number, clock: Clock): Promise<void> {
  if (nats.isClosed()) return
  // draining waits for the server's answer; one that is away, or goes away meanwhile, will not give it
  if (!connected()) return nats.close()
  const cancel = clock.after(limit, () => void nats.close())
  // the client leaves a drain pending for ever when it is closed meanwhile
  await Promise.race([nats.drain().catch(() => nats.close()), nats.closed()])
  cancel()
}

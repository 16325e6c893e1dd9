import { readFileSync } from 'node:fs'
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import {
  connect,
  credsAuthenticator,
  jwtAuthenticator,
  nkeyAuthenticator,
  PermissionViolationError,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node'
import { fault, messageOf, type MillraceError } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import type { ConnectionSettings } from './connection-settings.js'
import { checkRequirements, type ServerFacts } from './requirements.js'

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
  readonly state: ConnectionState
  /** Calls `listener` at each change; the returned function stops it. */
  onStatus(listener: (status: ConnectionStatus) => void): () => void
  /** Sends what is buffered, then closes. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Connects and checks the server (API level 4, JetStream enabled).
 * @throws BROKER_UNREACHABLE, BROKER_AUTH_FAILED, JETSTREAM_DISABLED, BROKER_TOO_OLD
 */
export async function connectBroker(settings: ConnectionSettings): Promise<Connection> {
  const nats = await open(settings)
  try {
    const manager = await jetstreamManager(nats, {
      timeout: settings.timeout,
      checkAPI: false,
      ...(settings.jetstreamDomain === undefined ? {} : { domain: settings.jetstreamDomain }),
    })
    const server = await checkRequirements(nats, manager)
    const domain = settings.jetstreamDomain
    return watch(nats, manager, server, domain === undefined ? '$JS.API' : `$JS.${domain}.API`)
  } catch (error) {
    await nats.close()
    throw asFault(error, `asking ${settings.servers.join(', ')} for JetStream`)
  }
}

async function open(settings: ConnectionSettings): Promise<NatsConnection> {
  try {
    return await connect(clientOptions(settings))
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
    ...(auth.kind === 'token' ? { token: auth.token } : {}),
    ...(auth.kind === 'user' ? { user: auth.user, pass: auth.password } : {}),
    ...(auth.kind === 'creds' ? { authenticator: credsAuthenticator(readFileSync(auth.file)) } : {}),
    ...(auth.kind === 'nkey' ? { authenticator: nkeyAuthenticator(readSeed(auth.file)) } : {}),
    ...(auth.kind === 'jwt' ? { authenticator: jwtAuthenticator(auth.jwt, new TextEncoder().encode(auth.seed)) } : {}),
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

function readSeed(file: string): Uint8Array {
  return new TextEncoder().encode(readFileSync(file, 'utf8').trim())
}

function watch(nats: NatsConnection, manager: JetStreamManager, server: ServerFacts, apiPrefix: string): Connection {
  const listeners = new Set<(status: ConnectionStatus) => void>()
  let state: ConnectionState = { kind: 'connected' }
  const tell = (status: ConnectionStatus): void => {
    for (const listener of [...listeners]) listener(status)
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
    manager,
    server,
    apiPrefix,
    get state() {
      return state
    },
    onStatus(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => {
      if (nats.isClosed()) return
      // drain waits for the server; one that is away will not answer
      if (state.kind === 'connected') await nats.drain()
      else await nats.close()
    },
  }
}

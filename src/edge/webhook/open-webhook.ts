// A webhook at work: a handler whose effect is one POST.
//
// Invariants (tests cite them):
//   SK1  An event is sent with the same id in every attempt, delivery and redrive, and a new signature in each, of every
//        secret.
//   SK2  A connection is made to an address that was looked at, and to no other: none that is not public unless it is
//        allowed, whatever names, redirects and IPv6 say.
//   SK3  An endpoint that has answered 410 is called no more, by any process, until it is enabled; its events wait.
import type { Connection } from '../../broker/connection.js'
import type { Gate } from '../../delivery/gate.js'
import type { HandlerContext } from '../../delivery/handler-context.js'
import type { HandlerDeclaration } from '../../delivery/handler-options.js'
import { retryAfter } from '../../delivery/recovery.js'
import { fault, isFault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import { EndpointGate } from './endpoint-gate.js'
import { disable, ensureEndpoints, isDisabled } from './endpoints.js'
import { post, type Answer } from './post.js'
import { addressesOf, systemResolve, type Resolve } from './webhook-address.js'
import type { WebhookDeclaration } from './webhook-options.js'
import { readSecret, signedHeaders } from './webhook-signature.js'
import { parseTarget, shownTarget } from './webhook-target.js'

export interface OpenWebhookOptions {
  readonly declaration: WebhookDeclaration
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  /** The value of a setting. */
  readonly setting: (name: string) => string | undefined
  readonly replicas: number
  /** What its events go through beside. */
  readonly gate: Gate
  readonly resolve?: Resolve
}

/** A webhook as a handler that can be run. */
export interface OpenedWebhook {
  readonly declaration: HandlerDeclaration
  readonly gate: Gate
}

/** How old what is known of an endpoint may be that is one of several, in ms. */
const KNOWN_FOR_MS = 1_000
const [LEAST_WAIT_MS, MOST_WAIT_MS] = [1_000, 24 * 60 * 60 * 1_000]

/** @throws WEBHOOK_SETTING_INVALID, and errors of the broker */
export async function openWebhook(options: OpenWebhookOptions): Promise<OpenedWebhook> {
  const { declaration, connection, clock, setting, replicas, gate: next } = options
  const { name: webhook, handler, url: of } = declaration
  const secrets = declaration.secrets.map((name) => readSecret(name, setting(name)))
  const fixed = of.kind === 'of-event' ? undefined : fixedTarget(declaration, setting)
  await ensureEndpoints(connection, replicas)
  let gate = next
  let close = (): void => undefined
  if (fixed !== undefined) {
    const look = (): Promise<boolean> => isDisabled(connection, clock, { webhook, url: fixed, maxAge: 0 })
    const because = `${shownTarget(fixed)} answered 410: millrace sinks enable ${webhook}`
    const own = new EndpointGate({ clock, look, because, next }, await look())
    gate = own
    close = () => own.close()
  }
  const sender = new Sender(options, secrets, fixed, close)
  const handle = (event: StoredEvent, context: HandlerContext): Promise<void> => sender.send(event, context)
  return { declaration: { ...handler, run: { kind: 'single', handle } }, gate }
}

function fixedTarget({ name, url, http }: WebhookDeclaration, setting: OpenWebhookOptions['setting']): URL | undefined {
  if (url.kind === 'of-event') return undefined
  const text = url.kind === 'fixed' ? url.url : (setting(url.setting) ?? '')
  const target = parseTarget(text.trim(), http)
  if (typeof target !== 'string') return target
  throw fault('WEBHOOK_SETTING_INVALID', `${name}: ${url.kind === 'setting' ? url.setting : 'url'}: ${target}`)
}

class Sender {
  readonly #options: OpenWebhookOptions
  readonly #secrets: readonly Uint8Array[]
  readonly #fixed: URL | undefined
  readonly #close: () => void

  constructor(options: OpenWebhookOptions, secrets: readonly Uint8Array[], fixed: URL | undefined, close: () => void) {
    this.#options = options
    this.#secrets = secrets
    this.#fixed = fixed
    this.#close = close
  }

  async send(event: StoredEvent, { idempotencyKey, signal }: HandlerContext): Promise<void> {
    const { declaration, clock, resolve = systemResolve } = this.#options
    const url = this.#fixed ?? (await this.#targetOf(event))
    const body = JSON.stringify(declaration.payload(event))
    if (body === undefined) throw fault('WEBHOOK_TOO_LARGE', 'payload gave nothing that can be sent as JSON')
    const size = Buffer.byteLength(body)
    if (size > declaration.mostBytes)
      throw fault('WEBHOOK_TOO_LARGE', `${size} bytes, at most ${declaration.mostBytes}`)
    const addresses = await addressesOf(url, declaration.allowed, resolve)
    const id = `msg_${idempotencyKey}`
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'millrace-webhook/1',
      ...signedHeaders(this.#secrets, { id, now: clock.now(), body }),
    }
    signal.throwIfAborted()
    await this.#judge(url, await post({ url, addresses, headers, body, signal }))
  }

  /** @throws WEBHOOK_DISABLED; WEBHOOK_ADDRESS_REFUSED when it is no URL that may be used */
  async #targetOf(event: StoredEvent): Promise<URL> {
    const { declaration, connection, clock, log } = this.#options
    const { url: of, name: webhook, http } = declaration
    const target = parseTarget(of.kind === 'of-event' ? of.of(event) : '', http)
    if (typeof target === 'string') throw fault('WEBHOOK_ADDRESS_REFUSED', `url: ${target}`)
    const known = { webhook, url: target, maxAge: KNOWN_FOR_MS }
    const disabled = await isDisabled(connection, clock, known).catch((error: unknown) => {
      if (!isFault(error)) throw error
      log.debug({ webhook, code: error.code }, 'whether the endpoint is disabled is not known: it is called')
      return false
    })
    if (disabled) throw fault('WEBHOOK_DISABLED', shownTarget(target))
    return target
  }

  async #judge(url: URL, { status, retryAfter: asked, excerpt }: Answer): Promise<void> {
    if (status >= 200 && status < 300) return
    const { declaration, connection, clock, log } = this.#options
    const why = `${shownTarget(url)}: HTTP ${status}${excerpt === '' ? '' : `: ${excerpt}`}`
    if (status === 410) {
      await disable(connection, log, { webhook: declaration.name, url, now: clock.now() })
      if (this.#fixed === undefined) throw fault('WEBHOOK_DISABLED', why)
      this.#close()
      throw retryAfter(LEAST_WAIT_MS, why) // behind the gate, which is closed by then
    }
    const wait = readRetryAfter(asked, clock.now())
    throw wait === undefined ? fault('WEBHOOK_REFUSED', why) : retryAfter(wait, why)
  }
}

/**
 * How long a receiver asks to wait, in ms: seconds, or a date.
 * Source: RFC 9110, section 10.2.3.
 */
export function readRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now
  return Number.isNaN(ms) ? undefined : Math.min(MOST_WAIT_MS, Math.max(LEAST_WAIT_MS, ms))
}

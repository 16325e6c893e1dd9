import { steps } from '../../delivery/backoff.js'
import { defineHandler } from '../../delivery/define-handler.js'
import { retry } from '../../delivery/recovery.js'
import { fault } from '../../error/millrace-error.js'
import type { EventContract } from '../../event/contract.js'
import type { StoredEvent } from '../../event/event.js'
import { formatTime } from '../../event/rfc3339.js'
import { readAllowed } from './webhook-address.js'
import { parseTarget } from './webhook-target.js'
import type { WebhookDeclaration, WebhookOptions } from './webhook-options.js'

const SETTING = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/
const MOST_BYTES = 256 * 1024
const TIMEOUT = '15s'
/** The schedule that Standard Webhooks recommends: after the first attempt, and up to a tenth later each. */
const SCHEDULE = ['5s', '5m', '30m', '2h', '5h', '10h', '14h', '20h', '24h'] as const

/**
 * Declares a webhook: events of a stream sent to a URL, signed as Standard Webhooks has it, at least once each, with the same
 * `webhook-id` in each attempt and redrive. It is a handler: what is not taken with 2xx is tried again, by default for some
 * three days, as `Retry-After` asks where the receiver says so, and is a dead letter then. 410 disables the endpoint.
 *
 * @example
 * export default defineWebhook({
 *   name: 'partner', on: { stream: 'PAYMENTS', events: [PaymentCaptured] },
 *   url: 'https://partner.example/hooks', secrets: ['PARTNER_SECRET'],
 * })
 * @throws WEBHOOK_INVALID, HANDLER_INVALID, DURATION_INVALID
 */
export function defineWebhook<const Events extends readonly EventContract[]>(
  options: WebhookOptions<Events>,
): WebhookDeclaration {
  if (typeof options !== 'object' || options === null) throw fault('WEBHOOK_INVALID', 'defineWebhook takes an object')
  const { name, url, secrets, payload, allow, mostBytes = MOST_BYTES, timeout = TIMEOUT, ...rest } = options
  const invalid = (detail: string): never => {
    throw fault('WEBHOOK_INVALID', `${name}: ${detail}`)
  }
  if (!Array.isArray(secrets) || secrets.length === 0) invalid('secrets is empty: name the setting that has one')
  for (const [at, setting] of secrets.entries()) {
    // what is in the code is in its history for ever
    if (String(setting).startsWith('whsec_')) invalid(`secrets[${at}] is a secret: name the setting that has it`)
    if (typeof setting !== 'string' || !SETTING.test(setting)) invalid(`secrets[${at}] is no name of a setting`)
  }
  if (payload !== undefined && typeof payload !== 'function') invalid('payload is no function')
  if (!Number.isSafeInteger(mostBytes) || mostBytes < 1) invalid(`mostBytes ${mostBytes} must be a whole number from 1`)
  const http = allow?.http === true
  const recovery = retry({ attempts: SCHEDULE.length + 1, immediate: 0, backoff: steps(SCHEDULE) })
  const handler = defineHandler({
    recovery,
    ...rest,
    name,
    timeout,
    handle: () => {
      throw fault('WEBHOOK_INVALID', `${name} runs in a deployment only`)
    },
  })
  return Object.freeze<WebhookDeclaration>({
    kind: 'webhook',
    name,
    handler,
    url: readUrl(url, http, invalid),
    secrets: Object.freeze([...secrets]),
    payload: (payload as WebhookDeclaration['payload'] | undefined) ?? standardPayload,
    allowed: readAllowed(name, allow?.addresses ?? []),
    http,
    mostBytes,
  })
}

function standardPayload({ type, time, data }: StoredEvent): unknown {
  return { type, timestamp: formatTime(time), data }
}

function readUrl(
  given: WebhookOptions<readonly EventContract[]>['url'],
  http: boolean,
  invalid: (detail: string) => never,
): WebhookDeclaration['url'] {
  if (typeof given === 'function') return { kind: 'of-event', of: given as (event: StoredEvent) => string }
  if (typeof given === 'string') {
    const target = parseTarget(given, http)
    return typeof target === 'string' ? invalid(`url: ${target}`) : { kind: 'fixed', url: given }
  }
  if (!SETTING.test(given?.setting ?? '')) return invalid('url is neither a URL, a setting nor a function')
  return { kind: 'setting', setting: given.setting }
}

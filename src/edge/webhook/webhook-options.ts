import type { BlockList } from 'node:net'
import type { HandledEvent, HandlerDeclaration, HandlerOptions } from '../../delivery/handler-options.js'
import type { EventContract } from '../../event/contract.js'
import type { StoredEvent } from '../../event/event.js'

/** The name of a setting that has the value: an environment variable of the process that runs it. */
export interface Setting {
  readonly setting: string
}

type Handled<Events extends readonly EventContract[]> = Pick<
  HandlerOptions<Events>,
  'name' | 'version' | 'on' | 'concurrency' | 'order' | 'recovery' | 'classify' | 'uses' | 'rate' | 'lanes'
>

export interface WebhookOptions<Events extends readonly EventContract[]> extends Handled<Events> {
  /** Where to: a URL, the setting that has it, or the one for an event. */
  readonly url: string | Setting | ((event: HandledEvent<Events>) => string)
  /**
   * Names of the settings that have the secrets, such as `PARTNER_SECRET`: `whsec_` and base64 in each. Every one signs, so
   * that a new one can be given out before the old one goes.
   */
  readonly secrets: readonly string[]
  /** What is sent, as JSON data. Default `{ type, timestamp, data }`, as Standard Webhooks has it. */
  readonly payload?: (event: HandledEvent<Events>) => unknown
  /** What is refused unless it is named here. */
  readonly allow?: {
    /** Addresses and networks that are not public, such as `10.1.0.0/16` or `::1`. */
    readonly addresses?: readonly string[]
    /** Whether `http:` may be used beside `https:`. */
    readonly http?: boolean
  }
  /** Largest body, in bytes. Default 256 KiB. */
  readonly mostBytes?: number
  /** Most time for an attempt, in ms or like `15s`. Default 15 s. */
  readonly timeout?: string | number
}

/** A declared webhook: a handler whose effect is made for you. */
export interface WebhookDeclaration {
  readonly kind: 'webhook'
  readonly name: string
  /** What runs it; its `handle` comes with openWebhook. */
  readonly handler: HandlerDeclaration
  readonly url:
    | { readonly kind: 'fixed'; readonly url: string }
    | { readonly kind: 'setting'; readonly setting: string }
    | { readonly kind: 'of-event'; of(event: StoredEvent): string }
  readonly secrets: readonly string[]
  payload(event: StoredEvent): unknown
  readonly allowed: BlockList
  readonly http: boolean
  readonly mostBytes: number
}

import { fault, isFault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import { parseDuration } from '../../time/duration.js'
import type { Clock } from '../../time/clock.js'
import type { HandlerContext } from '../handler-context.js'
import type { HandlerDeclaration, HandlerInbox } from '../handler-options.js'
import type { HandlerRunOptions } from '../handler-run-options.js'
import { notBegun } from '../recovery.js'
import { keyRefusal } from './decide-key.js'
import { KeyStore, type HeldKey } from './key-store.js'

const SHORTEST_TTL_MS = 60_000
const LONGEST_LOOK_MS = 1_000
const AGAIN_MS = 200
/** How long a run waits for who is at the same event, in ms, and at most half of its timeout: then it makes room. */
const LONGEST_LOOKING_MS = 2_000

/**
 * Has a handler remember which events it has handled, so that one that is delivered again has no second effect: also
 * after its acknowledgement was lost, or was redriven by mistake. What was emitted is emitted again, the same.
 * An effect and its being remembered are two things: a process that dies between them makes the effect again. Where that
 * must not be, pass `idempotencyKey` on, or use a table in the same transaction (sqlInbox).
 * @param options.ttl how long it remembers: ms, or like `7d`; from a minute
 * @throws HANDLER_INVALID
 */
export function inbox({ ttl }: { readonly ttl: string | number }): HandlerInbox {
  const ms = parseDuration(ttl)
  if (ms < SHORTEST_TTL_MS) throw fault('HANDLER_INVALID', `inbox: ttl ${ttl}; a minute at least`)
  return Object.freeze({ kind: 'inbox', ttl: ms })
}

type InboxOptions = Pick<HandlerRunOptions, 'declaration' | 'connection' | 'clock' | 'stream'>

/**
 * The same options, with a handler that asks its inbox first, where it has one.
 * @throws HANDLER_INVALID it handles batches; errors of the broker
 */
export async function withInbox<Options extends InboxOptions>(options: Options): Promise<Options> {
  const { declaration, connection, clock, stream } = options
  const { idempotent, run, name } = declaration
  if (idempotent === undefined) return options
  if (run.kind === 'batch') throw fault('HANDLER_INVALID', `${name}: an inbox remembers single events, not batches`)
  const lease = declaration.timeout + declaration.ackWait
  const store = new KeyStore({ connection, clock, scope: `handler-${name}`, ttl: idempotent.ttl, lease })
  await store.prepare(stream.replicas)
  const patience = Math.min(LONGEST_LOOKING_MS, declaration.timeout / 2)
  const handle = (event: StoredEvent, context: HandlerContext): Promise<unknown> =>
    once({ store, clock, patience }, context, () => run.handle(event, context), declaration.emits !== undefined)
  const own: HandlerDeclaration = { ...declaration, run: { ...run, handle } }
  return { ...options, declaration: own }
}

interface OncePorts {
  readonly store: KeyStore
  readonly clock: Clock
  /** How long it waits for another run, in ms. */
  readonly patience: number
}

/**
 * Waits a little while another run is at the same event: what it does ends well, or with its lease. One that hangs, or died,
 * has it for longer than a run may take: to wait for that is no attempt.
 */
async function once(
  { store, clock, patience }: OncePorts,
  context: HandlerContext,
  work: () => unknown,
  keeps: boolean,
): Promise<unknown> {
  const { idempotencyKey, signal } = context
  const until = clock.monotonic() + patience
  for (let pause = 50; ; pause = Math.min(LONGEST_LOOK_MS, pause * 2)) {
    const begun = await store.begin(idempotencyKey)
    if (begun.kind === 'answer') return begun.result ?? undefined
    if (begun.kind === 'in-flight') {
      if (clock.monotonic() + Math.min(pause, begun.wait) > until) throw notBegun(keyRefusal(begun), begun.wait)
      await clock.sleep(Math.min(pause, begun.wait), signal)
    }
    if (begun.kind !== 'begin') continue
    let result: unknown
    try {
      result = await work()
    } catch (error) {
      // where it cannot be let go of now, its lease ends by itself; what the handler failed with is what counts
      await store.release(begun.held).catch(() => undefined)
      throw error
    }
    await remember(store, clock, signal, begun.held, keeps ? result : undefined)
    return result
  }
}

/** The effect is made: to have it remembered is worth trying until the run ends. */
async function remember(
  store: KeyStore,
  clock: Clock,
  signal: AbortSignal,
  held: HeldKey,
  result: unknown,
): Promise<void> {
  for (;;)
    try {
      await store.finish(held, result)
      return
    } catch (error) {
      if (!isFault(error) || error.disposition !== 'retry') throw error
      await clock.sleep(AGAIN_MS, signal)
    }
}

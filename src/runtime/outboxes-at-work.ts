import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault, isFault, messageOf } from '../error/millrace-error.js'
import type { Log } from '../observe/log.js'
import type { OutboxDeclaration } from '../outbox/outbox-options.js'
import { Relay } from '../outbox/relay.js'
import type { RelayStatus } from '../outbox/relay-report.js'
import { outboxId } from '../outbox/row-letter.js'
import type { Clock } from '../time/clock.js'
import { systemId } from '../time/system-chance.js'
import { requireUnique } from './require-declared.js'

/** An outbox and the stream that it is relayed to. */
export interface DeployedOutbox {
  readonly declaration: OutboxDeclaration
  readonly stream: StreamDeclaration
}

/**
 * The outboxes of a deployment with their streams.
 * @throws DECLARATION_INVALID two have one name or one table, or one names a stream that is not declared
 */
export function deployOutboxes(
  outboxes: readonly OutboxDeclaration[],
  streams: readonly StreamDeclaration[],
): readonly DeployedOutbox[] {
  requireUnique(
    'outbox',
    outboxes.map(({ name }) => name),
  )
  return outboxes.map((declaration) => {
    const stream = streams.find(({ name }) => name === declaration.stream)
    if (stream !== undefined) return { declaration, stream }
    const known = streams.map(({ name }) => name).join(', ')
    const which = JSON.stringify(declaration.stream)
    throw fault(
      'DECLARATION_INVALID',
      `outbox ${declaration.name}: stream ${which} is not declared; there are: ${known}`,
    )
  })
}

export interface OutboxesOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly owner: string
  readonly outboxes: readonly DeployedOutbox[]
}

/** The relays of this process, beside others that stand by. */
export class OutboxesAtWork {
  readonly #relays: readonly Relay[]

  private constructor(relays: readonly Relay[]) {
    this.#relays = relays
  }

  /** Starts them, whether their databases answer or not. @throws OUTBOX_INVALID one has no client */
  static start({ outboxes, ...shared }: OutboxesOptions): OutboxesAtWork {
    const relays: Relay[] = []
    for (const deployed of outboxes)
      try {
        relays.push(Relay.start({ ...shared, ...deployed, newId: systemId }))
      } catch (error) {
        void new OutboxesAtWork(relays).stop()
        if (isFault(error)) throw error
        const detail = `${deployed.declaration.name}: its client cannot be made: ${messageOf(error)}`
        throw fault('OUTBOX_INVALID', detail, { cause: error })
      }
    return new OutboxesAtWork(relays)
  }

  get status(): readonly RelayStatus[] {
    return this.#relays.map(({ status }) => status)
  }

  /** Finishes what is on its way. Never rejects. */
  async stop(): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay.stop()))
  }
}

export interface StartOutboxesOptions extends Omit<OutboxesOptions, 'outboxes'> {
  readonly deployment: { readonly outboxes?: readonly DeployedOutbox[] }
  /** Default all. */
  readonly onlyHandlers?: (id: string) => boolean
}

/** Starts those that this process is to run. @param giveUp called when one cannot be: ends what runs, and throws */
export async function startOutboxes(
  { deployment, onlyHandlers = () => true, ...shared }: StartOutboxesOptions,
  giveUp: (error: unknown) => Promise<never>,
): Promise<OutboxesAtWork> {
  const outboxes = (deployment.outboxes ?? []).filter((deployed) => onlyHandlers(deployedOutboxId(deployed)))
  try {
    return OutboxesAtWork.start({ ...shared, outboxes })
  } catch (error) {
    return giveUp(error)
  }
}

/** How an outbox is named beside processors. */
export function deployedOutboxId({ declaration }: DeployedOutbox): string {
  return outboxId(declaration.name)
}

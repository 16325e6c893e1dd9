import type { Connection } from '../broker/connection.js'
import type { PublishAck } from '../broker/publish-ack.js'
import { Publisher } from '../broker/publisher.js'
import type { EventDraft } from '../event/event.js'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import { addressed, type AddressedCommand } from './addressed-command.js'

/** Where the commands and the records of one actor are. */
export interface ActorHome {
  /** Name of the actor. */
  readonly actor: string
  /** The stream of its records. */
  readonly records: { readonly name: string; readonly root: string; readonly partitions: number }
  /** The stream of its commands. */
  readonly commands: { readonly name: string; readonly root: string }
}

export interface CommandSenderOptions {
  readonly connection: Connection
  readonly clock: Clock
  /** Makes an id for a command that has none. */
  readonly newId: () => string
  /** CloudEvents source of the commands. Default `/commands`. */
  readonly source?: string
  /** How long an interrupted connection is waited for, in ms. Default 60,000. */
  readonly patience?: number
}

/** Stores commands: what tell and request share. One for a connection does for all. */
export class CommandSender {
  readonly connection: Connection
  readonly clock: Clock
  readonly #newId: () => string
  readonly #source: string
  readonly #patience: number
  #publisher: Publisher | undefined

  constructor({ connection, clock, newId, source = '/commands', patience = 60_000 }: CommandSenderOptions) {
    this.connection = connection
    this.clock = clock
    this.#newId = newId
    this.#source = source
    this.#patience = patience
  }

  /** The id that a command goes under. */
  idFor(draft: EventDraft, id: string | undefined): string {
    return id ?? draft.id ?? this.#newId()
  }

  /** @throws what addressed throws */
  address(home: ActorHome, draft: EventDraft, id: string, reply?: string): AddressedCommand {
    return addressed(draft, { root: home.commands.root, id, source: this.#source, time: this.clock.now(), reply })
  }

  /** @throws MESSAGE_TOO_LARGE, STREAM_FULL, NO_STREAM_FOR_SUBJECT, BROKER_TIMEOUT and others of the broker */
  publish(message: WireMessage): Promise<PublishAck> {
    const { connection, clock } = this
    this.#publisher ??= new Publisher(connection, { clock, patience: this.#patience })
    return this.#publisher.publish(message)
  }

  /** What has no receipt yet is given up. */
  close(): void {
    this.#publisher?.close()
    this.#publisher = undefined
  }
}

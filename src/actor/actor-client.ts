import { fault } from '../error/millrace-error.js'
import type { EventDraft } from '../event/event.js'
import type { ActorDeclaration, CommandIn, Commands, Events } from './actor-options.js'
import { CommandSender, type ActorHome, type CommandSenderOptions } from './command-sender.js'
import { OutcomeSearch } from './find-outcome.js'
import type { Outcome } from './outcome.js'
import { request, type RequestOptions } from './request.js'
import { tell, type TellOptions, type Told } from './tell.js'

export interface ActorClientOptions extends CommandSenderOptions {
  /** Every actor that is spoken to. */
  readonly homes: readonly ActorHome[]
}

export interface OutcomeOptions {
  /** Of the command in its stream, as its receipt said: where to begin. Without it all of the aggregate is read. */
  readonly sequence?: number
  readonly signal?: AbortSignal
}

/** Speaks to the aggregates of one actor. */
export interface ActorHandle<Taken extends Commands = Commands, Kept extends Events = Events> {
  /**
   * Stores a command; resolves when it is durable. It is decided once, whether or not its owner runs now.
   * @throws see tell
   */
  tell(command: CommandIn<Taken>, options?: TellOptions): Promise<Told>
  /**
   * Stores a command and waits for what becomes of it. A rejection is an outcome, not an error.
   * @throws COMMAND_OUTCOME_UNKNOWN, and what tell throws
   */
  request(command: CommandIn<Taken>, options?: RequestOptions): Promise<Outcome<Kept[number]['type']>>
  /**
   * What became of a command that was stored earlier; undefined when nothing has yet, or not as far as the log is kept.
   * @param id of the aggregate
   * @throws AGGREGATE_ID_INVALID, AGGREGATE_RECORD_INVALID, and errors of the broker
   */
  outcome(id: string, commandId: string, options?: OutcomeOptions): Promise<Outcome<Kept[number]['type']> | undefined>
}

/** Speaks to actors from outside: from a gateway, a script, the command line. */
export interface ActorClient {
  /** @throws DECLARATION_UNKNOWN the client does not know where the actor is · COMMAND_UNKNOWN when a command is sent */
  actor<State, Taken extends Commands, Kept extends Events>(
    actor: ActorDeclaration<State, Taken, Kept>,
  ): ActorHandle<Taken, Kept>
  /** Gives up what has no receipt yet. The connection stays open: it is the caller’s. */
  close(): void
}

/**
 * A client for actors over a connection. It stores commands and reads the log; whoever runs the actors need not be up.
 */
export function createActorClient(options: ActorClientOptions): ActorClient {
  const sender = new CommandSender(options)
  const homes = new Map(options.homes.map((home) => [home.actor, home]))
  return {
    actor: <State, Taken extends Commands, Kept extends Events>(actor: ActorDeclaration<State, Taken, Kept>) => {
      const home = homes.get(actor.name)
      if (home === undefined)
        throw fault(
          'DECLARATION_UNKNOWN',
          `actor ${JSON.stringify(actor.name)}; there are: ${[...homes.keys()].join(', ')}`,
        )
      return handleOf(sender, home, actor) as ActorHandle<Taken, Kept>
    },
    close: () => sender.close(),
  }
}

function handleOf(sender: CommandSender, home: ActorHome, actor: ActorDeclaration): ActorHandle {
  const taken = new Set(actor.commands.map(({ type }) => type))
  const check = ({ type }: EventDraft): void => {
    if (!taken.has(type)) throw fault('COMMAND_UNKNOWN', `${type}; ${actor.name} takes: ${[...taken].join(', ')}`)
  }
  return {
    tell: async (command, options) => {
      check(command)
      return tell(sender, home, command, options)
    },
    request: async (command, options) => {
      check(command)
      return request(sender, home, command, options)
    },
    outcome: async (id, commandId, { sequence, signal = new AbortController().signal } = {}) => {
      const place = { actor: home.actor, id, records: home.records, commands: home.commands.name }
      return new OutcomeSearch(sender.connection, place, commandId, sequence).look(signal)
    },
  }
}

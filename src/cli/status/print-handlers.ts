import type { Output } from '../output.js'
import { count, printTable, type Column } from '../table.js'
import type { HandlerLag } from './read-handlers.js'

/** A table of handlers, when there are any. */
export function printHandlers(out: Output, handlers: readonly HandlerLag[]): void {
  if (handlers.length === 0) return
  out.line()
  printTable(out, COLUMNS, handlers)
  for (const { handler, waitsFor } of handlers) for (const why of waitsFor) out.line(`${handler} waits: ${why}`)
}

function stateOf({ started, paused, waitsFor }: HandlerLag): string {
  if (waitsFor.length > 0) return 'waits'
  return paused ? 'paused' : started ? '' : 'never run'
}

const number = (title: string, of: (handler: HandlerLag) => number): Column<HandlerLag> => ({
  title,
  align: 'right',
  value: (handler) => (handler.started ? count(of(handler)) : ''),
})

const COLUMNS: readonly Column<HandlerLag>[] = [
  { title: 'HANDLER', value: ({ handler }) => handler },
  { title: 'READS', value: ({ from }) => from },
  number('LAG MSGS', ({ pending }) => pending),
  number('IN FLIGHT', ({ inFlight }) => inFlight),
  number('DELAYED', ({ delayed }) => delayed),
  number('DUE', ({ due }) => due),
  number('DEAD', ({ deadLetters }) => deadLetters),
  { title: 'STATE', value: stateOf },
]

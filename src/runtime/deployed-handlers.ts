import type { StreamDeclaration } from '../broker/define-stream.js'
import { workStream } from '../broker/work-stream.js'
import { handlerConsumer } from '../delivery/handler-consumers.js'
import type { HandlerDeclaration } from '../delivery/handler-options.js'
import type { WebhookDeclaration } from '../edge/webhook/webhook-options.js'
import { fault } from '../error/millrace-error.js'
import type { DeployedJob } from './deployed-jobs.js'
import { requireUnique } from './require-declared.js'

/** A handler, the stream that it reads, and that of its work. */
export interface DeployedHandler {
  readonly declaration: HandlerDeclaration
  readonly stream: StreamDeclaration
  readonly work: StreamDeclaration
  readonly emitsTo: StreamDeclaration | undefined
  /** It is one: what it does at an event comes with openWebhook. */
  readonly webhook?: WebhookDeclaration
  /** It takes the requests of one; what it does at an event comes with openJob. */
  readonly job?: DeployedJob
}

/**
 * The handlers of a deployment with their streams.
 * @param streams those of the contexts
 * @param others what are handlers too, beside `declared`
 * @throws DECLARATION_INVALID two have one name, or one consumer, or one names a stream that is not declared
 */
export function deployHandlers(
  declared: readonly HandlerDeclaration[],
  streams: readonly StreamDeclaration[],
  others: { readonly webhooks?: readonly WebhookDeclaration[]; readonly jobs?: readonly DeployedJob[] } = {},
): readonly DeployedHandler[] {
  const { webhooks = [], jobs = [] } = others
  const requests = jobs.map((job) => job.declaration.requests)
  const handlers = [...declared, ...webhooks.map(({ handler }) => handler), ...requests]
  requireUnique(
    'handler',
    handlers.map(({ name }) => name),
  )
  // of a handler `a` with a lane `b`, and of one named `a-b`, each would take the other’s events for none of its own
  requireUnique(
    'handler consumer',
    handlers.flatMap(({ name, on, order, lanes }) =>
      order === 'key' ? [] : lanes.map((lane) => `${handlerConsumer(name, lane.name)} of ${on.stream}`),
    ),
  )
  const works = new Map(streams.map((stream) => [stream.name, workStream(stream)]))
  const find = (handler: string, name: string): StreamDeclaration => {
    const found = streams.find((stream) => stream.name === name)
    if (found !== undefined) return found
    const known = streams.map((stream) => stream.name).join(', ')
    throw fault(
      'DECLARATION_INVALID',
      `handler ${handler}: stream ${JSON.stringify(name)} is not declared; there are: ${known}`,
    )
  }
  return handlers.map((declaration) => {
    const { name, on, emits } = declaration
    const stream = find(name, on.stream)
    const emitsTo = emits === undefined ? undefined : find(name, emits.stream)
    const webhook = webhooks.find(({ handler }) => handler === declaration)
    const work = works.get(stream.name) as StreamDeclaration
    const job = jobs.find((one) => one.declaration.requests === declaration)
    const own = { ...(webhook === undefined ? {} : { webhook }), ...(job === undefined ? {} : { job }) }
    return { declaration, stream, work, emitsTo, ...own }
  })
}

/** The streams of work of a deployment’s handlers, each once. */
export function workStreamsOf(handlers: readonly DeployedHandler[]): readonly StreamDeclaration[] {
  return [...new Set(handlers.map(({ work }) => work))]
}

/** Those that processes compete for the events of, and those that keep the order of keys, which the kernel runs. */
export function byOrder(handlers: readonly DeployedHandler[]): {
  readonly handlers: readonly DeployedHandler[]
  readonly ordered: readonly DeployedHandler[]
} {
  return {
    handlers: handlers.filter(({ declaration }) => declaration.order === 'none'),
    ordered: handlers.filter(({ declaration }) => declaration.order === 'key'),
  }
}

/** How a handler is named beside processors. */
export function handlerId({ declaration }: Pick<DeployedHandler, 'declaration'>): string {
  return `handler-${declaration.name}`
}

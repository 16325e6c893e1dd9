import type { MessageBatch, MessageBatchIndividualResponse } from '@anthropic-ai/sdk/resources/messages/batches'
import { openAnthropic, type AnthropicOptions } from '../anthropic-client.js'
import { messageParams } from '../anthropic-params.js'
import type { CallFacts } from '../model-client.js'
import { isRecord } from '../unknown-json.js'
import type { BatchAnswer, BatchClient, ProviderBatch } from './batch-client.js'

/** How many of a list come at once. */
const AT_ONCE = 100

/**
 * Message Batches, by the SDK that the user has installed.
 * @throws MODEL_KEY_MISSING, MODEL_SDK_MISSING
 */
export async function anthropicBatches(options: AnthropicOptions): Promise<BatchClient> {
  const { client, factsOf } = await openAnthropic(options)
  const { batches } = client.messages
  return {
    async create(questions, signal) {
      const requests = questions.map(({ customId, ask }) => ({ custom_id: customId, params: messageParams(ask) }))
      return batchOf(await batches.create({ requests }, { signal }))
    },
    async find(id, signal) {
      try {
        return batchOf(await batches.retrieve(id, {}, { signal }))
      } catch (error) {
        if (factsOf(error).status === 404) return undefined
        throw error
      }
    },
    async recent(since, signal) {
      const found: ProviderBatch[] = []
      for await (const batch of batches.list({ limit: AT_ONCE }, { signal })) {
        const one = batchOf(batch)
        // the whole list until then: of a batch that a shorter one leaves out it would be thought that it was never sent
        if (one.createdAt < since) break
        found.push(one)
      }
      return found
    },
    async *answers(id, signal) {
      for await (const one of await batches.results(id, {}, { signal })) {
        if (signal.aborted) throw signal.reason as Error
        yield { customId: one.custom_id, answer: answerOf(one) }
      }
    },
    async cancel(id, signal) {
      await batches.cancel(id, {}, { signal })
    },
    factsOf,
  }
}

function batchOf(batch: MessageBatch): ProviderBatch {
  const { id, created_at, ended_at, processing_status, request_counts: counts } = batch
  const done = counts.succeeded + counts.errored + counts.canceled + counts.expired
  return {
    id,
    createdAt: Date.parse(created_at),
    endedAt: processing_status === 'ended' ? Date.parse(ended_at ?? created_at) : undefined,
    total: done + counts.processing,
    done,
  }
}

function answerOf({ result }: MessageBatchIndividualResponse): BatchAnswer {
  switch (result.type) {
    case 'succeeded':
      return { kind: 'succeeded', message: result.message as unknown as Readonly<Record<string, unknown>> }
    case 'errored':
      return { kind: 'errored', facts: factsOfError(result.error) }
    case 'expired':
    case 'canceled':
      return { kind: result.type }
  }
}

/** An error that comes as a result has no status. */
function factsOfError(response: unknown): CallFacts {
  const { error, request_id: id } = isRecord(response) ? response : {}
  const { type, message, details } = isRecord(error) ? error : {}
  const code = isRecord(details) ? details['error_code'] : undefined
  return {
    from: 'stream',
    type: typeof type === 'string' ? type : undefined,
    errorCode: typeof code === 'string' ? code : undefined,
    message: typeof message === 'string' ? message : 'the provider says no more',
    requestId: typeof id === 'string' ? id : undefined,
    header: () => undefined,
  }
}

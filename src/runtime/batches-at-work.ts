import { newId } from '../broker/new-id.js'
import { fault } from '../error/millrace-error.js'
import { anthropicBatches } from '../job/batch/anthropic-batches.js'
import { BatchLane, type BatchLaneOptions } from '../job/batch/batch-lane.js'
import type { Lane } from '../job/job-event.js'
import { providerOf, type Setting } from './model-provider.js'

/** The lanes whose jobs are done one by one where batches are made. */
export const ONE_BY_ONE: readonly Lane[] = ['urgent', 'standard']

/**
 * Whether jobs of the lane `batch` are put together: with the provider itself, unless it is said otherwise. What stands at another
 * address may have no batches.
 * @throws SETTING_INVALID
 */
export function collectsBatches(setting: Setting): boolean {
  const said = setting('MILLRACE_BATCHES')
  if (said === undefined || said === '') return providerOf(setting).baseUrl === undefined
  if (said !== 'on' && said !== 'off')
    throw fault('SETTING_INVALID', `MILLRACE_BATCHES is ${JSON.stringify(said)}, and must be on or off`)
  return said === 'on'
}

/** Looks after the batches that there are, and makes new ones where they are made. @throws errors of the broker */
export async function startBatches({
  setting,
  ...options
}: Omit<BatchLaneOptions, 'batchClient' | 'newId'> & { readonly setting: Setting }): Promise<BatchLane> {
  const batchClient = await anthropicBatches(providerOf(setting))
  return BatchLane.start({ ...options, batchClient, newId })
}

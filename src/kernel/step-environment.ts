import { bucketReaderOf } from '../broker/bucket-reader.js'
import { bucketNews, type BucketPlace, type BucketReading } from '../broker/history-bucket.js'
import type { Connection } from '../broker/connection.js'
import type { Clock } from '../time/clock.js'

/** What a step finds where it runs. */
export interface StepEnvironment {
  /** Reads key-value buckets of the server that the pipeline runs on. */
  readonly bucket: (name: string) => ReadableBucket
  /** Reads what is behind a place in a bucket that keeps former values. @throws what bucketNews throws */
  readonly news: (place: BucketPlace, signal: AbortSignal) => Promise<BucketReading>
}

/** A key-value bucket, to be read. */
export interface ReadableBucket {
  /** @param maxAge how long ago the value may have been read, in ms. @throws BUCKET_NOT_FOUND and errors of the broker */
  get(key: string, maxAge: number): Promise<Uint8Array | undefined>
}

/** That of steps which run over a connection. */
export function stepEnvironment(connection: Connection, clock: Clock): StepEnvironment {
  return {
    bucket: (name) => bucketReaderOf(connection, name, clock),
    news: (place, signal) => bucketNews(connection, clock, place, signal),
  }
}

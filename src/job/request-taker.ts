/** The handler that takes the requests of a job. @param job name of its declaration */
export function requestTaker(job: string): string {
  return `job-${job}`
}

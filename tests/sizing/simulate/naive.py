"""The engine written again as plainly as it can be: objects, lists, every sequence visited in every iteration."""

from dataclasses import dataclass, field
from math import ceil, inf, nan

import numpy as np

from sizing.simulate.engine import Engine
from sizing.simulate.requests import Requests


@dataclass(eq=False)
class Job:
    number: int
    arrival_s: float
    prompt: int
    cached: int
    output: int
    batch: bool
    emitted: int = 0
    computed: int = 0
    decoding: bool = False
    first_s: float = nan
    done_s: float = nan
    preempted: int = 0

    @property
    def target(self) -> int:
        """Tokens whose KV must be there before the next one comes."""
        return max(self.prompt, 1) + self.emitted

    def blocks(self, block_tok: int) -> int:
        return ceil(self.computed / block_tok)


@dataclass(eq=False)
class Server:
    engine: Engine
    blocks: int
    waiting: list[Job] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)
    now: list[tuple[Job, int]] = field(default_factory=list)
    ends_s: float = inf
    most_used: int = 0

    def used(self) -> int:
        return sum(job.blocks(self.engine.limits.block_tok) for job in self.running)

    def begin(self, now_s: float) -> None:
        """Choose what this iteration computes, as vLLM's documentation says it does."""
        limits, steps = self.engine.limits, self.engine.steps
        self.now, calm, given_way, prompts = [], True, False, 0
        decoding = [job for job in self.running if job.decoding]
        while sum(-(-(j.computed + 1) // limits.block_tok) - j.blocks(limits.block_tok) for j in decoding) > (
            self.blocks - self.used()
        ):
            self.preempt(self.victim())
            decoding, calm = [job for job in self.running if job.decoding], False
        for job in decoding:
            job.computed += 1
        budget = limits.max_num_batched_tokens - len(decoding)
        for batch in (False, True):
            half = [job for job in self.running if job.batch == batch and not job.decoding]
            for job in half:  # at most one, the newest
                chunk = min(budget, job.target - job.computed)
                while job in self.running and self.need(job, chunk) > self.blocks - self.used():
                    self.preempt(self.victim())
                    calm = False
                if job in self.running and chunk > 0:
                    self.now.append((job, chunk))
                    job.computed += chunk
                    budget -= chunk
            while calm and budget > 0:
                queue = [job for job in self.waiting if job.batch == batch]
                if not queue:
                    break
                job = queue[0]
                known = min(job.cached, job.target - 1) if limits.prefix_cache else 0
                chunk = min(budget, job.target - known)
                while not self.fits(-(-(known + chunk) // limits.block_tok)):
                    others = [other for other in self.running if other.batch]
                    if batch or not others or not limits.preempt_batch:
                        break
                    self.preempt(others[-1])
                    given_way = True
                if not self.fits(-(-(known + chunk) // limits.block_tok)):
                    break
                self.waiting.remove(job)
                self.running.append(job)
                job.computed = known
                self.now.append((job, chunk))
                job.computed += chunk
                budget -= chunk
                prompts += 1
            calm = calm and not given_way
        decoding = [job for job in self.running if job.decoding]
        if not decoding and not self.now:
            if self.waiting or self.running:
                self.begin(now_s)
            else:
                self.ends_s = inf
            return
        tokens = sum(chunk for _, chunk in self.now)
        lasts_s = 0.0
        if decoding:
            mean = sum(job.computed for job in decoding) / len(decoding)
            lasts_s = float(np.interp(mean, steps.context_tok, steps.decode_s[len(decoding)]))
        if tokens:
            lasts_s = max(lasts_s, float(np.interp(tokens, steps.fresh_tok, steps.read_s)))
        for job, chunk in self.now:
            lasts_s += chunk * float(np.interp(job.computed - chunk / 2, steps.middle_tok, steps.rate_s))
        self.ends_s = now_s + lasts_s + prompts * steps.prompt_s
        self.most_used = max(self.most_used, self.used())

    def fits(self, blocks: int) -> bool:
        return len(self.running) < self.engine.limits.max_num_seqs and blocks <= self.blocks - self.used()

    def need(self, job: Job, chunk: int) -> int:
        block_tok = self.engine.limits.block_tok
        return -(-(job.computed + chunk) // block_tok) - job.blocks(block_tok)

    def victim(self) -> Job:
        batch = [job for job in self.running if job.batch]
        return (batch or self.running)[-1]

    def preempt(self, job: Job) -> None:
        self.running.remove(job)
        self.now = [(other, chunk) for other, chunk in self.now if other is not job]
        job.decoding, job.computed = False, 0
        job.preempted += 1
        self.waiting.insert(0, job)

    def end(self) -> None:
        """Give a token to all whose KV is complete."""
        for job in list(self.running):
            if not job.decoding and job.computed < job.target:
                continue
            if np.isnan(job.first_s):
                job.first_s = self.ends_s
            job.emitted += 1
            job.decoding = True
            if job.emitted >= job.output:
                job.done_s = self.ends_s
                self.running.remove(job)


def naive(requests: Requests, engine: Engine, *, replicas: int, blocks: int) -> tuple[list[Job], list[Server]]:
    """Return every request after its last token, and the replicas. No request may be too long for a replica."""
    jobs = [
        Job(i, float(a), max(int(p), 1), int(c), int(o), bool(b))
        for i, (a, p, c, o, b) in enumerate(
            zip(
                requests.arrival_s,
                requests.prompt_tok,
                requests.cached_prompt_tok,
                requests.output_tok,
                requests.batch,
                strict=True,
            )
        )
    ]
    servers, turn = [Server(engine, blocks) for _ in range(replicas)], 0
    for job in jobs:
        for server in servers:
            while server.ends_s <= job.arrival_s:
                now_s = server.ends_s
                server.end()
                server.begin(now_s)
        order = [servers[(turn + k) % replicas] for k in range(replicas)]
        chosen = min(order, key=lambda server: len(server.running) + len(server.waiting))
        if engine.limits.routing == "round-robin":
            chosen = order[0]
        turn = (servers.index(chosen) + 1) % replicas
        chosen.waiting.append(job)
        if job is jobs[-1] or jobs[job.number + 1].arrival_s > job.arrival_s:
            for server in servers:
                if server.ends_s == inf and server.waiting:
                    server.begin(job.arrival_s)
    for server in servers:
        while server.ends_s < inf:
            now_s = server.ends_s
            server.end()
            server.begin(now_s)
    return jobs, servers

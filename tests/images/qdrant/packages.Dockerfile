# What the engine needs, in a layer of its own: it changes less often than the engine.
ARG BASE
FROM ${BASE}
COPY packages /opt/packages
RUN python3 -m compileall -q /opt/packages

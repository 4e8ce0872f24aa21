# The image from a finished root folder; scripts/image makes the folder and builds this.

FROM scratch
COPY fs/ /
COPY --chown=65532:65532 data /data
USER 65532:65532
WORKDIR /data
VOLUME /data
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s CMD ["/usr/bin/celosia", "health", "--quiet", "--config", "/config/celosia.toml"]
ENTRYPOINT ["/usr/bin/celosia"]
CMD ["run", "--config", "/config/celosia.toml"]

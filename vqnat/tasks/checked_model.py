"""A criterion refuses a model that it is not for before the first batch, while no process that reads data has begun."""


class CheckedModel:
    """Shows a criterion with a method ``check_model`` the model that it is built for."""

    def build_model(self, cfg, from_checkpoint=False):
        """As fairseq's, which builds the model before its criterion."""
        self._built = super().build_model(cfg, from_checkpoint)
        return self._built

    def build_criterion(self, cfg, from_checkpoint=False):
        """As fairseq's. Raises UserError if the criterion is not for the model."""
        criterion = super().build_criterion(cfg, from_checkpoint)
        check, model = getattr(criterion, "check_model", None), getattr(self, "_built", None)
        if check and model is not None:
            check(model)
        return criterion

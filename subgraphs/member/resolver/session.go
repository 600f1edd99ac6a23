package resolver

import (
	"context"

	"bourse/engine"
	"bourse/subgraphs/internal/viewer"
	"bourse/subgraphs/member/internal/gen"
)

func (r mutationResolver) Register(ctx context.Context, input gen.RegisterInput) (*gen.SessionPayload, error) {
	return sessionPayload(r.Exchange.Visitor().Register(ctx, engine.Registration{
		InviteCode:  input.InviteCode,
		Username:    input.Username,
		Password:    input.Password,
		DisplayName: input.DisplayName,
		RemoteAddr:  viewer.Address(ctx),
	}))
}

func (r mutationResolver) SignIn(ctx context.Context, input gen.SignInInput) (*gen.SessionPayload, error) {
	return sessionPayload(r.Exchange.Visitor().SignIn(ctx, engine.Credentials{
		Username:   input.Username,
		Password:   input.Password,
		RemoteAddr: viewer.Address(ctx),
	}))
}

func (r mutationResolver) RefreshSession(ctx context.Context, refreshToken string) (*gen.SessionPayload, error) {
	return sessionPayload(r.Exchange.Visitor().Refresh(ctx, refreshToken))
}

func (r mutationResolver) SignOut(ctx context.Context, refreshToken string) (*gen.SignOutPayload, error) {
	if err := r.Exchange.Visitor().SignOut(ctx, refreshToken); err != nil {
		return nil, err
	}
	return &gen.SignOutPayload{SignedOut: true}, nil
}

func sessionPayload(s engine.Session, err error) (*gen.SessionPayload, error) {
	if err != nil {
		return nil, err
	}
	return &gen.SessionPayload{
		AccessToken:           s.AccessToken,
		AccessTokenExpiresAt:  s.ExpiresAt,
		RefreshToken:          s.RefreshToken,
		RefreshTokenExpiresAt: s.RefreshExpiresAt,
		Role:                  gen.Role(s.Actor.Role),
		Username:              s.Actor.Username,
		DisplayName:           s.DisplayName,
	}, nil
}

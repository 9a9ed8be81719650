.inst 0x6e28dc90
 fmul v16.4s, v4.4s, v8.4s
.inst 0x6e27dffc
 fmul v28.4s, v31.4s, v7.4s
.inst 0x6e3edf0d
 fmul v13.4s, v24.4s, v30.4s
.inst 0x6e26dfe1
 fmul v1.4s, v31.4s, v6.4s
.inst 0x6e38df60
 fmul v0.4s, v27.4s, v24.4s
.inst 0x6e3cde2e
 fmul v14.4s, v17.4s, v28.4s
.inst 0x6e26de81
 fmul v1.4s, v20.4s, v6.4s
.inst 0x6e21dc20
 fmul v0.4s, v1.4s, v1.4s
.inst 0x6e38ddbb
 fmul v27.4s, v13.4s, v24.4s
.inst 0x6e21dddc
 fmul v28.4s, v14.4s, v1.4s
.inst 0x6e3fddd6
 fmul v22.4s, v14.4s, v31.4s
.inst 0x6e2edddd
 fmul v29.4s, v14.4s, v14.4s
.inst 0x6e32dc3a
 fmul v26.4s, v1.4s, v18.4s
.inst 0x6e26dd72
 fmul v18.4s, v11.4s, v6.4s
.inst 0x6e27debb
 fmul v27.4s, v21.4s, v7.4s
.inst 0x6e2cde72
 fmul v18.4s, v19.4s, v12.4s
.inst 0x6e3fdf22
 fmul v2.4s, v25.4s, v31.4s
.inst 0x6e3eddf9
 fmul v25.4s, v15.4s, v30.4s
.inst 0x6e3add77
 fmul v23.4s, v11.4s, v26.4s
.inst 0x6e37dcbc
 fmul v28.4s, v5.4s, v23.4s
.inst 0x6e26dd59
 fmul v25.4s, v10.4s, v6.4s
.inst 0x6e37dfe1
 fmul v1.4s, v31.4s, v23.4s
.inst 0x6e3edc53
 fmul v19.4s, v2.4s, v30.4s
.inst 0x6e39dd4a
 fmul v10.4s, v10.4s, v25.4s
.inst 0x6e2edc0c
 fmul v12.4s, v0.4s, v14.4s
.inst 0x6e2edf36
 fmul v22.4s, v25.4s, v14.4s
.inst 0x6e36dfb1
 fmul v17.4s, v29.4s, v22.4s
.inst 0x6e20df08
 fmul v8.4s, v24.4s, v0.4s
.inst 0x6e2ddf63
 fmul v3.4s, v27.4s, v13.4s
.inst 0x6e3edeec
 fmul v12.4s, v23.4s, v30.4s
.inst 0x6e3adff6
 fmul v22.4s, v31.4s, v26.4s
.inst 0x6e3adec0
 fmul v0.4s, v22.4s, v26.4s
.inst 0x6e35dfa1
 fmul v1.4s, v29.4s, v21.4s
.inst 0x6e2edd6b
 fmul v11.4s, v11.4s, v14.4s
.inst 0x6e25de02
 fmul v2.4s, v16.4s, v5.4s
.inst 0x6e24dca1
 fmul v1.4s, v5.4s, v4.4s
.inst 0x6e3cdc11
 fmul v17.4s, v0.4s, v28.4s
.inst 0x6e2fde27
 fmul v7.4s, v17.4s, v15.4s
.inst 0x6e2bded2
 fmul v18.4s, v22.4s, v11.4s
.inst 0x6e24dd4a
 fmul v10.4s, v10.4s, v4.4s
.inst 0x4e30d551
 fadd v17.4s, v10.4s, v16.4s
.inst 0x4e32d7b4
 fadd v20.4s, v29.4s, v18.4s
.inst 0x4e3fd7c7
 fadd v7.4s, v30.4s, v31.4s
.inst 0x4e21d678
 fadd v24.4s, v19.4s, v1.4s
.inst 0x4e35d74c
 fadd v12.4s, v26.4s, v21.4s
.inst 0x4e30d4d0
 fadd v16.4s, v6.4s, v16.4s
.inst 0x4e2dd761
 fadd v1.4s, v27.4s, v13.4s
.inst 0x4e2ed439
 fadd v25.4s, v1.4s, v14.4s
.inst 0x4e29d44a
 fadd v10.4s, v2.4s, v9.4s
.inst 0x4e3cd76e
 fadd v14.4s, v27.4s, v28.4s
.inst 0x4e3cd5c1
 fadd v1.4s, v14.4s, v28.4s
.inst 0x4e39d69b
 fadd v27.4s, v20.4s, v25.4s
.inst 0x4e23d668
 fadd v8.4s, v19.4s, v3.4s
.inst 0x4e2dd473
 fadd v19.4s, v3.4s, v13.4s
.inst 0x4e24d493
 fadd v19.4s, v4.4s, v4.4s
.inst 0x4e33d55a
 fadd v26.4s, v10.4s, v19.4s
.inst 0x4e30d500
 fadd v0.4s, v8.4s, v16.4s
.inst 0x4e22d5bd
 fadd v29.4s, v13.4s, v2.4s
.inst 0x4e2ad458
 fadd v24.4s, v2.4s, v10.4s
.inst 0x4e2cd6c6
 fadd v6.4s, v22.4s, v12.4s
.inst 0x4e2dd76c
 fadd v12.4s, v27.4s, v13.4s
.inst 0x4e3fd4d8
 fadd v24.4s, v6.4s, v31.4s
.inst 0x4e32d7e1
 fadd v1.4s, v31.4s, v18.4s
.inst 0x4e34d732
 fadd v18.4s, v25.4s, v20.4s
.inst 0x4e21d54c
 fadd v12.4s, v10.4s, v1.4s
.inst 0x4e34d515
 fadd v21.4s, v8.4s, v20.4s
.inst 0x4e3bd5b1
 fadd v17.4s, v13.4s, v27.4s
.inst 0x4e26d716
 fadd v22.4s, v24.4s, v6.4s
.inst 0x4e3fd5e4
 fadd v4.4s, v15.4s, v31.4s
.inst 0x4e22d4a8
 fadd v8.4s, v5.4s, v2.4s
.inst 0x4e2ad54d
 fadd v13.4s, v10.4s, v10.4s
.inst 0x4e31d6b0
 fadd v16.4s, v21.4s, v17.4s
.inst 0x4e37d6b5
 fadd v21.4s, v21.4s, v23.4s
.inst 0x4e27d64f
 fadd v15.4s, v18.4s, v7.4s
.inst 0x4e3fd506
 fadd v6.4s, v8.4s, v31.4s
.inst 0x4e34d45a
 fadd v26.4s, v2.4s, v20.4s
.inst 0x4e24d709
 fadd v9.4s, v24.4s, v4.4s
.inst 0x4e28d6a7
 fadd v7.4s, v21.4s, v8.4s
.inst 0x4e38d48e
 fadd v14.4s, v4.4s, v24.4s
.inst 0x4e25d637
 fadd v23.4s, v17.4s, v5.4s
.inst 0x4eb2d4fd
 fsub v29.4s, v7.4s, v18.4s
.inst 0x4eb1d4c2
 fsub v2.4s, v6.4s, v17.4s
.inst 0x4eb2d400
 fsub v0.4s, v0.4s, v18.4s
.inst 0x4ea5d747
 fsub v7.4s, v26.4s, v5.4s
.inst 0x4ea2d58f
 fsub v15.4s, v12.4s, v2.4s
.inst 0x4ebad547
 fsub v7.4s, v10.4s, v26.4s
.inst 0x4ebcd54f
 fsub v15.4s, v10.4s, v28.4s
.inst 0x4eaad4db
 fsub v27.4s, v6.4s, v10.4s
.inst 0x4eb8d650
 fsub v16.4s, v18.4s, v24.4s
.inst 0x4ebed686
 fsub v6.4s, v20.4s, v30.4s
.inst 0x4eadd682
 fsub v2.4s, v20.4s, v13.4s
.inst 0x4ea1d412
 fsub v18.4s, v0.4s, v1.4s
.inst 0x4eb4d799
 fsub v25.4s, v28.4s, v20.4s
.inst 0x4eb4d724
 fsub v4.4s, v25.4s, v20.4s
.inst 0x4ea4d69d
 fsub v29.4s, v20.4s, v4.4s
.inst 0x4ea7d60d
 fsub v13.4s, v16.4s, v7.4s
.inst 0x4ebed6d0
 fsub v16.4s, v22.4s, v30.4s
.inst 0x4eabd5b3
 fsub v19.4s, v13.4s, v11.4s
.inst 0x4eacd5f7
 fsub v23.4s, v15.4s, v12.4s
.inst 0x4ea5d625
 fsub v5.4s, v17.4s, v5.4s
.inst 0x4ebcd4b5
 fsub v21.4s, v5.4s, v28.4s
.inst 0x4eaed713
 fsub v19.4s, v24.4s, v14.4s
.inst 0x4ea2d68b
 fsub v11.4s, v20.4s, v2.4s
.inst 0x4eb4d66f
 fsub v15.4s, v19.4s, v20.4s
.inst 0x4eb5d4c5
 fsub v5.4s, v6.4s, v21.4s
.inst 0x4eafd5c1
 fsub v1.4s, v14.4s, v15.4s
.inst 0x4eafd724
 fsub v4.4s, v25.4s, v15.4s
.inst 0x4eb1d484
 fsub v4.4s, v4.4s, v17.4s
.inst 0x4ea1d412
 fsub v18.4s, v0.4s, v1.4s
.inst 0x4eb6d7fe
 fsub v30.4s, v31.4s, v22.4s
.inst 0x4ea9d4d4
 fsub v20.4s, v6.4s, v9.4s
.inst 0x4ea4d56b
 fsub v11.4s, v11.4s, v4.4s
.inst 0x4ea9d534
 fsub v20.4s, v9.4s, v9.4s
.inst 0x4eb3d4d2
 fsub v18.4s, v6.4s, v19.4s
.inst 0x4ea8d5a9
 fsub v9.4s, v13.4s, v8.4s
.inst 0x4ea2d68d
 fsub v13.4s, v20.4s, v2.4s
.inst 0x4eabd67b
 fsub v27.4s, v19.4s, v11.4s
.inst 0x4eaad46f
 fsub v15.4s, v3.4s, v10.4s
.inst 0x4eb0d49c
 fsub v28.4s, v4.4s, v16.4s
.inst 0x4ebbd61c
 fsub v28.4s, v16.4s, v27.4s
.inst 0x6e3dfc19
 fdiv v25.4s, v0.4s, v29.4s
.inst 0x6e35fd50
 fdiv v16.4s, v10.4s, v21.4s
.inst 0x6e3ffc3a
 fdiv v26.4s, v1.4s, v31.4s
.inst 0x6e21fc76
 fdiv v22.4s, v3.4s, v1.4s
.inst 0x6e28fd08
 fdiv v8.4s, v8.4s, v8.4s
.inst 0x6e30fe39
 fdiv v25.4s, v17.4s, v16.4s
.inst 0x6e39fd65
 fdiv v5.4s, v11.4s, v25.4s
.inst 0x6e2effe0
 fdiv v0.4s, v31.4s, v14.4s
.inst 0x6e2bfe9c
 fdiv v28.4s, v20.4s, v11.4s
.inst 0x6e2efdf4
 fdiv v20.4s, v15.4s, v14.4s
.inst 0x6e3fffce
 fdiv v14.4s, v30.4s, v31.4s
.inst 0x6e3afeb1
 fdiv v17.4s, v21.4s, v26.4s
.inst 0x6e2efc64
 fdiv v4.4s, v3.4s, v14.4s
.inst 0x6e37fd4d
 fdiv v13.4s, v10.4s, v23.4s
.inst 0x6e33fe73
 fdiv v19.4s, v19.4s, v19.4s
.inst 0x6e37fd5d
 fdiv v29.4s, v10.4s, v23.4s
.inst 0x6e25fcf8
 fdiv v24.4s, v7.4s, v5.4s
.inst 0x6e2bfd30
 fdiv v16.4s, v9.4s, v11.4s
.inst 0x6e3bfda3
 fdiv v3.4s, v13.4s, v27.4s
.inst 0x6e3fff36
 fdiv v22.4s, v25.4s, v31.4s
.inst 0x6e38fd42
 fdiv v2.4s, v10.4s, v24.4s
.inst 0x6e25fe06
 fdiv v6.4s, v16.4s, v5.4s
.inst 0x6e31fca8
 fdiv v8.4s, v5.4s, v17.4s
.inst 0x6e25ff8f
 fdiv v15.4s, v28.4s, v5.4s
.inst 0x6e38ff79
 fdiv v25.4s, v27.4s, v24.4s
.inst 0x6e2afe9c
 fdiv v28.4s, v20.4s, v10.4s
.inst 0x6e28ffed
 fdiv v13.4s, v31.4s, v8.4s
.inst 0x6e27ff7a
 fdiv v26.4s, v27.4s, v7.4s
.inst 0x6e27fe51
 fdiv v17.4s, v18.4s, v7.4s
.inst 0x6e2fff00
 fdiv v0.4s, v24.4s, v15.4s
.inst 0x6e2cff81
 fdiv v1.4s, v28.4s, v12.4s
.inst 0x6e21fdf0
 fdiv v16.4s, v15.4s, v1.4s
.inst 0x6e2dfd72
 fdiv v18.4s, v11.4s, v13.4s
.inst 0x6e29fd91
 fdiv v17.4s, v12.4s, v9.4s
.inst 0x6e33fe1c
 fdiv v28.4s, v16.4s, v19.4s
.inst 0x6e2afedf
 fdiv v31.4s, v22.4s, v10.4s
.inst 0x6e3afced
 fdiv v13.4s, v7.4s, v26.4s
.inst 0x6e38fdb2
 fdiv v18.4s, v13.4s, v24.4s
.inst 0x6e26fc27
 fdiv v7.4s, v1.4s, v6.4s
.inst 0x6e20fe48
 fdiv v8.4s, v18.4s, v0.4s
.inst 0x6e24d6f3
 faddp v19.4s, v23.4s, v4.4s
.inst 0x6e3bd6d4
 faddp v20.4s, v22.4s, v27.4s
.inst 0x6e20d4fc
 faddp v28.4s, v7.4s, v0.4s
.inst 0x6e3cd6d3
 faddp v19.4s, v22.4s, v28.4s
.inst 0x6e39d6bf
 faddp v31.4s, v21.4s, v25.4s
.inst 0x6e27d718
 faddp v24.4s, v24.4s, v7.4s
.inst 0x6e2dd411
 faddp v17.4s, v0.4s, v13.4s
.inst 0x6e2cd7ba
 faddp v26.4s, v29.4s, v12.4s
.inst 0x6e33d55c
 faddp v28.4s, v10.4s, v19.4s
.inst 0x6e2cd6e0
 faddp v0.4s, v23.4s, v12.4s
.inst 0x6e38d779
 faddp v25.4s, v27.4s, v24.4s
.inst 0x6e35d49f
 faddp v31.4s, v4.4s, v21.4s
.inst 0x6e2fd641
 faddp v1.4s, v18.4s, v15.4s
.inst 0x6e3ad539
 faddp v25.4s, v9.4s, v26.4s
.inst 0x6e31d564
 faddp v4.4s, v11.4s, v17.4s
.inst 0x6e20d6d0
 faddp v16.4s, v22.4s, v0.4s
.inst 0x6e3ad669
 faddp v9.4s, v19.4s, v26.4s
.inst 0x6e3dd61f
 faddp v31.4s, v16.4s, v29.4s
.inst 0x6e2ad7a2
 faddp v2.4s, v29.4s, v10.4s
.inst 0x6e31d4db
 faddp v27.4s, v6.4s, v17.4s
.inst 0x6e24d6c4
 faddp v4.4s, v22.4s, v4.4s
.inst 0x6e3cd42a
 faddp v10.4s, v1.4s, v28.4s
.inst 0x6e2ad4b9
 faddp v25.4s, v5.4s, v10.4s
.inst 0x6e31d66d
 faddp v13.4s, v19.4s, v17.4s
.inst 0x6e2dd5f5
 faddp v21.4s, v15.4s, v13.4s
.inst 0x6e31d484
 faddp v4.4s, v4.4s, v17.4s
.inst 0x6e37d7a3
 faddp v3.4s, v29.4s, v23.4s
.inst 0x6e2ad671
 faddp v17.4s, v19.4s, v10.4s
.inst 0x6e36d5d9
 faddp v25.4s, v14.4s, v22.4s
.inst 0x6e39d57e
 faddp v30.4s, v11.4s, v25.4s
.inst 0x6e30d6ae
 faddp v14.4s, v21.4s, v16.4s
.inst 0x6e30d5e1
 faddp v1.4s, v15.4s, v16.4s
.inst 0x6e39d69b
 faddp v27.4s, v20.4s, v25.4s
.inst 0x6e2fd62c
 faddp v12.4s, v17.4s, v15.4s
.inst 0x6e24d55c
 faddp v28.4s, v10.4s, v4.4s
.inst 0x6e29d61d
 faddp v29.4s, v16.4s, v9.4s
.inst 0x6e2ad508
 faddp v8.4s, v8.4s, v10.4s
.inst 0x6e3cd6f3
 faddp v19.4s, v23.4s, v28.4s
.inst 0x6e39d5e7
 faddp v7.4s, v15.4s, v25.4s
.inst 0x6e2dd664
 faddp v4.4s, v19.4s, v13.4s
.inst 0x4e26f5d9
 fmax v25.4s, v14.4s, v6.4s
.inst 0x4e34f7e6
 fmax v6.4s, v31.4s, v20.4s
.inst 0x4e2bf443
 fmax v3.4s, v2.4s, v11.4s
.inst 0x4e21f5a2
 fmax v2.4s, v13.4s, v1.4s
.inst 0x4e3ff795
 fmax v21.4s, v28.4s, v31.4s
.inst 0x4e31f4eb
 fmax v11.4s, v7.4s, v17.4s
.inst 0x4e26f5d9
 fmax v25.4s, v14.4s, v6.4s
.inst 0x4e2ef7fc
 fmax v28.4s, v31.4s, v14.4s
.inst 0x4e38f54e
 fmax v14.4s, v10.4s, v24.4s
.inst 0x4e2ff65d
 fmax v29.4s, v18.4s, v15.4s
.inst 0x4e38f5bc
 fmax v28.4s, v13.4s, v24.4s
.inst 0x4e30f6bf
 fmax v31.4s, v21.4s, v16.4s
.inst 0x4e27f5a5
 fmax v5.4s, v13.4s, v7.4s
.inst 0x4e22f400
 fmax v0.4s, v0.4s, v2.4s
.inst 0x4e3ef698
 fmax v24.4s, v20.4s, v30.4s
.inst 0x4e32f599
 fmax v25.4s, v12.4s, v18.4s
.inst 0x4e2af521
 fmax v1.4s, v9.4s, v10.4s
.inst 0x4e20f709
 fmax v9.4s, v24.4s, v0.4s
.inst 0x4e23f710
 fmax v16.4s, v24.4s, v3.4s
.inst 0x4e28f4bd
 fmax v29.4s, v5.4s, v8.4s
.inst 0x4e33f402
 fmax v2.4s, v0.4s, v19.4s
.inst 0x4e23f502
 fmax v2.4s, v8.4s, v3.4s
.inst 0x4e31f4fb
 fmax v27.4s, v7.4s, v17.4s
.inst 0x4e25f581
 fmax v1.4s, v12.4s, v5.4s
.inst 0x4e3ff511
 fmax v17.4s, v8.4s, v31.4s
.inst 0x4e2cf798
 fmax v24.4s, v28.4s, v12.4s
.inst 0x4e35f630
 fmax v16.4s, v17.4s, v21.4s
.inst 0x4e2ff5e3
 fmax v3.4s, v15.4s, v15.4s
.inst 0x4e2bf6db
 fmax v27.4s, v22.4s, v11.4s
.inst 0x4e23f6da
 fmax v26.4s, v22.4s, v3.4s
.inst 0x4e2cf764
 fmax v4.4s, v27.4s, v12.4s
.inst 0x4e31f490
 fmax v16.4s, v4.4s, v17.4s
.inst 0x4e2bf4c9
 fmax v9.4s, v6.4s, v11.4s
.inst 0x4e23f5bb
 fmax v27.4s, v13.4s, v3.4s
.inst 0x4e22f465
 fmax v5.4s, v3.4s, v2.4s
.inst 0x4e3ef6e6
 fmax v6.4s, v23.4s, v30.4s
.inst 0x4e34f448
 fmax v8.4s, v2.4s, v20.4s
.inst 0x4e22f788
 fmax v8.4s, v28.4s, v2.4s
.inst 0x4e39f781
 fmax v1.4s, v28.4s, v25.4s
.inst 0x4e31f4b0
 fmax v16.4s, v5.4s, v17.4s
.inst 0x4eb4f4b3
 fmin v19.4s, v5.4s, v20.4s
.inst 0x4ea2f703
 fmin v3.4s, v24.4s, v2.4s
.inst 0x4eb0f688
 fmin v8.4s, v20.4s, v16.4s
.inst 0x4eb0f707
 fmin v7.4s, v24.4s, v16.4s
.inst 0x4eb3f4db
 fmin v27.4s, v6.4s, v19.4s
.inst 0x4eaff5b5
 fmin v21.4s, v13.4s, v15.4s
.inst 0x4eb5f73e
 fmin v30.4s, v25.4s, v21.4s
.inst 0x4ea6f51c
 fmin v28.4s, v8.4s, v6.4s
.inst 0x4ea1f64a
 fmin v10.4s, v18.4s, v1.4s
.inst 0x4eacf6f8
 fmin v24.4s, v23.4s, v12.4s
.inst 0x4eb4f4da
 fmin v26.4s, v6.4s, v20.4s
.inst 0x4eb6f504
 fmin v4.4s, v8.4s, v22.4s
.inst 0x4ea2f674
 fmin v20.4s, v19.4s, v2.4s
.inst 0x4ebaf674
 fmin v20.4s, v19.4s, v26.4s
.inst 0x4eb6f634
 fmin v20.4s, v17.4s, v22.4s
.inst 0x4ea0f4e9
 fmin v9.4s, v7.4s, v0.4s
.inst 0x4eb4f694
 fmin v20.4s, v20.4s, v20.4s
.inst 0x4ea4f791
 fmin v17.4s, v28.4s, v4.4s
.inst 0x4ebef7b7
 fmin v23.4s, v29.4s, v30.4s
.inst 0x4eb8f4a3
 fmin v3.4s, v5.4s, v24.4s
.inst 0x4ea8f47f
 fmin v31.4s, v3.4s, v8.4s
.inst 0x4eb0f5f5
 fmin v21.4s, v15.4s, v16.4s
.inst 0x4eb7f6f9
 fmin v25.4s, v23.4s, v23.4s
.inst 0x4eb3f7b5
 fmin v21.4s, v29.4s, v19.4s
.inst 0x4eaaf429
 fmin v9.4s, v1.4s, v10.4s
.inst 0x4eb0f5c8
 fmin v8.4s, v14.4s, v16.4s
.inst 0x4ea7f57a
 fmin v26.4s, v11.4s, v7.4s
.inst 0x4ea3f4d1
 fmin v17.4s, v6.4s, v3.4s
.inst 0x4ea6f5b0
 fmin v16.4s, v13.4s, v6.4s
.inst 0x4ea4f4a4
 fmin v4.4s, v5.4s, v4.4s
.inst 0x4eadf57b
 fmin v27.4s, v11.4s, v13.4s
.inst 0x4ea1f6ff
 fmin v31.4s, v23.4s, v1.4s
.inst 0x4eb2f5cc
 fmin v12.4s, v14.4s, v18.4s
.inst 0x4ebff5fb
 fmin v27.4s, v15.4s, v31.4s
.inst 0x4ebcf6ec
 fmin v12.4s, v23.4s, v28.4s
.inst 0x4ebef490
 fmin v16.4s, v4.4s, v30.4s
.inst 0x4ebaf580
 fmin v0.4s, v12.4s, v26.4s
.inst 0x4eb8f7e4
 fmin v4.4s, v31.4s, v24.4s
.inst 0x4eb9f762
 fmin v2.4s, v27.4s, v25.4s
.inst 0x4eb6f7a0
 fmin v0.4s, v29.4s, v22.4s
.inst 0x6e30f993
 fmaxv d, v12.4s
.inst 0x6e30f807
 fmaxv d, v0.4s
.inst 0x6e30fa74
 fmaxv d, v19.4s
.inst 0x6e30fa5a
 fmaxv d, v18.4s
.inst 0x6e30fb53
 fmaxv d, v26.4s
.inst 0x6e30fb93
 fmaxv d, v28.4s
.inst 0x6e30f91c
 fmaxv d, v8.4s
.inst 0x6e30f90a
 fmaxv d, v8.4s
.inst 0x6e30fa00
 fmaxv d, v16.4s
.inst 0x6e30fb62
 fmaxv d, v27.4s
.inst 0x6e30fafa
 fmaxv d, v23.4s
.inst 0x6e30fb32
 fmaxv d, v25.4s
.inst 0x6e30f825
 fmaxv d, v1.4s
.inst 0x6e30f8a0
 fmaxv d, v5.4s
.inst 0x6e30fb11
 fmaxv d, v24.4s
.inst 0x6e30fbb1
 fmaxv d, v29.4s
.inst 0x6e30fafe
 fmaxv d, v23.4s
.inst 0x6e30fab8
 fmaxv d, v21.4s
.inst 0x6e30fba7
 fmaxv d, v29.4s
.inst 0x6e30fbd6
 fmaxv d, v30.4s
.inst 0x6e30f93a
 fmaxv d, v9.4s
.inst 0x6e30f921
 fmaxv d, v9.4s
.inst 0x6e30f970
 fmaxv d, v11.4s
.inst 0x6e30fae8
 fmaxv d, v23.4s
.inst 0x6e30fa5a
 fmaxv d, v18.4s
.inst 0x6e30fa12
 fmaxv d, v16.4s
.inst 0x6e30fb51
 fmaxv d, v26.4s
.inst 0x6e30fb75
 fmaxv d, v27.4s
.inst 0x6e30fbed
 fmaxv d, v31.4s
.inst 0x6e30fbf9
 fmaxv d, v31.4s
.inst 0x6e30fb65
 fmaxv d, v27.4s
.inst 0x6e30f888
 fmaxv d, v4.4s
.inst 0x6e30f9a9
 fmaxv d, v13.4s
.inst 0x6e30f9c1
 fmaxv d, v14.4s
.inst 0x6e30f8d0
 fmaxv d, v6.4s
.inst 0x6e30f93e
 fmaxv d, v9.4s
.inst 0x6e30f8d9
 fmaxv d, v6.4s
.inst 0x6e30f960
 fmaxv d, v11.4s
.inst 0x6e30f8bb
 fmaxv d, v5.4s
.inst 0x6e30f86d
 fmaxv d, v3.4s
.inst 0x4e3be6c3
 fcmeq v3.4s, v22.4s, v27.4s
.inst 0x4e26e747
 fcmeq v7.4s, v26.4s, v6.4s
.inst 0x4e30e62b
 fcmeq v11.4s, v17.4s, v16.4s
.inst 0x4e3ee46d
 fcmeq v13.4s, v3.4s, v30.4s
.inst 0x4e25e707
 fcmeq v7.4s, v24.4s, v5.4s
.inst 0x4e3ce65f
 fcmeq v31.4s, v18.4s, v28.4s
.inst 0x4e39e4fe
 fcmeq v30.4s, v7.4s, v25.4s
.inst 0x4e26e538
 fcmeq v24.4s, v9.4s, v6.4s
.inst 0x4e2ce550
 fcmeq v16.4s, v10.4s, v12.4s
.inst 0x4e3ae65f
 fcmeq v31.4s, v18.4s, v26.4s
.inst 0x4e2de6bf
 fcmeq v31.4s, v21.4s, v13.4s
.inst 0x4e26e416
 fcmeq v22.4s, v0.4s, v6.4s
.inst 0x4e31e47c
 fcmeq v28.4s, v3.4s, v17.4s
.inst 0x4e33e4ce
 fcmeq v14.4s, v6.4s, v19.4s
.inst 0x4e31e62f
 fcmeq v15.4s, v17.4s, v17.4s
.inst 0x4e3ae528
 fcmeq v8.4s, v9.4s, v26.4s
.inst 0x4e30e59a
 fcmeq v26.4s, v12.4s, v16.4s
.inst 0x4e23e53a
 fcmeq v26.4s, v9.4s, v3.4s
.inst 0x4e31e63e
 fcmeq v30.4s, v17.4s, v17.4s
.inst 0x4e33e63f
 fcmeq v31.4s, v17.4s, v19.4s
.inst 0x4e2de7f7
 fcmeq v23.4s, v31.4s, v13.4s
.inst 0x4e3ee5f5
 fcmeq v21.4s, v15.4s, v30.4s
.inst 0x4e2be57c
 fcmeq v28.4s, v11.4s, v11.4s
.inst 0x4e29e474
 fcmeq v20.4s, v3.4s, v9.4s
.inst 0x4e28e5b4
 fcmeq v20.4s, v13.4s, v8.4s
.inst 0x4e3fe7d5
 fcmeq v21.4s, v30.4s, v31.4s
.inst 0x4e27e508
 fcmeq v8.4s, v8.4s, v7.4s
.inst 0x4e30e5c5
 fcmeq v5.4s, v14.4s, v16.4s
.inst 0x4e23e567
 fcmeq v7.4s, v11.4s, v3.4s
.inst 0x4e2ee593
 fcmeq v19.4s, v12.4s, v14.4s
.inst 0x4e3be680
 fcmeq v0.4s, v20.4s, v27.4s
.inst 0x4e21e66e
 fcmeq v14.4s, v19.4s, v1.4s
.inst 0x4e25e5d1
 fcmeq v17.4s, v14.4s, v5.4s
.inst 0x4e35e638
 fcmeq v24.4s, v17.4s, v21.4s
.inst 0x4e21e4f5
 fcmeq v21.4s, v7.4s, v1.4s
.inst 0x4e36e507
 fcmeq v7.4s, v8.4s, v22.4s
.inst 0x4e30e522
 fcmeq v2.4s, v9.4s, v16.4s
.inst 0x4e36e485
 fcmeq v5.4s, v4.4s, v22.4s
.inst 0x4e26e674
 fcmeq v20.4s, v19.4s, v6.4s
.inst 0x4e2fe623
 fcmeq v3.4s, v17.4s, v15.4s
.inst 0x6ea0fae1
 fneg v1.4s, v23.4s
.inst 0x6ea0f8a8
 fneg v8.4s, v5.4s
.inst 0x6ea0fb37
 fneg v23.4s, v25.4s
.inst 0x6ea0f9e6
 fneg v6.4s, v15.4s
.inst 0x6ea0fab1
 fneg v17.4s, v21.4s
.inst 0x6ea0f814
 fneg v20.4s, v0.4s
.inst 0x6ea0f8f6
 fneg v22.4s, v7.4s
.inst 0x6ea0f911
 fneg v17.4s, v8.4s
.inst 0x6ea0fb25
 fneg v5.4s, v25.4s
.inst 0x6ea0fbda
 fneg v26.4s, v30.4s
.inst 0x6ea0fb33
 fneg v19.4s, v25.4s
.inst 0x6ea0f9d3
 fneg v19.4s, v14.4s
.inst 0x6ea0f903
 fneg v3.4s, v8.4s
.inst 0x6ea0f8eb
 fneg v11.4s, v7.4s
.inst 0x6ea0f9ed
 fneg v13.4s, v15.4s
.inst 0x6ea0fb71
 fneg v17.4s, v27.4s
.inst 0x6ea0f830
 fneg v16.4s, v1.4s
.inst 0x6ea0fa30
 fneg v16.4s, v17.4s
.inst 0x6ea0fbc8
 fneg v8.4s, v30.4s
.inst 0x6ea0fb26
 fneg v6.4s, v25.4s
.inst 0x6ea0fae4
 fneg v4.4s, v23.4s
.inst 0x6ea0fae1
 fneg v1.4s, v23.4s
.inst 0x6ea0fa7c
 fneg v28.4s, v19.4s
.inst 0x6ea0f909
 fneg v9.4s, v8.4s
.inst 0x6ea0f889
 fneg v9.4s, v4.4s
.inst 0x6ea0f9be
 fneg v30.4s, v13.4s
.inst 0x6ea0fab7
 fneg v23.4s, v21.4s
.inst 0x6ea0fa4a
 fneg v10.4s, v18.4s
.inst 0x6ea0f938
 fneg v24.4s, v9.4s
.inst 0x6ea0fb99
 fneg v25.4s, v28.4s
.inst 0x6ea0f8e9
 fneg v9.4s, v7.4s
.inst 0x6ea0fa32
 fneg v18.4s, v17.4s
.inst 0x6ea0f800
 fneg v0.4s, v0.4s
.inst 0x6ea0f918
 fneg v24.4s, v8.4s
.inst 0x6ea0f8dd
 fneg v29.4s, v6.4s
.inst 0x6ea0f83b
 fneg v27.4s, v1.4s
.inst 0x6ea0fb71
 fneg v17.4s, v27.4s
.inst 0x6ea0fafa
 fneg v26.4s, v23.4s
.inst 0x6ea0fb3d
 fneg v29.4s, v25.4s
.inst 0x6ea0f866
 fneg v6.4s, v3.4s
.inst 0x4fa29802
 fmul v2.4s, v0.4s, v2.s[3]
.inst 0x4f8892d1
 fmul v17.4s, v22.4s, v8.s[0]
.inst 0x4f9e99ef
 fmul v15.4s, v15.4s, v30.s[2]
.inst 0x4f969147
 fmul v7.4s, v10.4s, v22.s[0]
.inst 0x4f949376
 fmul v22.4s, v27.4s, v20.s[0]
.inst 0x4f839b7a
 fmul v26.4s, v27.4s, v3.s[2]
.inst 0x4fb69a55
 fmul v21.4s, v18.4s, v22.s[3]
.inst 0x4faf9923
 fmul v3.4s, v9.4s, v15.s[3]
.inst 0x4f87997f
 fmul v31.4s, v11.4s, v7.s[2]
.inst 0x4f87983e
 fmul v30.4s, v1.4s, v7.s[2]
.inst 0x4fb89179
 fmul v25.4s, v11.4s, v24.s[1]
.inst 0x4fa691f5
 fmul v21.4s, v15.4s, v6.s[1]
.inst 0x4f8f9bbe
 fmul v30.4s, v29.4s, v15.s[2]
.inst 0x4f9f999b
 fmul v27.4s, v12.4s, v31.s[2]
.inst 0x4fb998ff
 fmul v31.4s, v7.4s, v25.s[3]
.inst 0x4f889920
 fmul v0.4s, v9.4s, v8.s[2]
.inst 0x4fba98c1
 fmul v1.4s, v6.4s, v26.s[3]
.inst 0x4f8b93b8
 fmul v24.4s, v29.4s, v11.s[0]
.inst 0x4f899926
 fmul v6.4s, v9.4s, v9.s[2]
.inst 0x4f819bb9
 fmul v25.4s, v29.4s, v1.s[2]
.inst 0x4fb9900f
 fmul v15.4s, v0.4s, v25.s[1]
.inst 0x4faa9975
 fmul v21.4s, v11.4s, v10.s[3]
.inst 0x4fa4914b
 fmul v11.4s, v10.4s, v4.s[1]
.inst 0x4fa199bb
 fmul v27.4s, v13.4s, v1.s[3]
.inst 0x4fa29184
 fmul v4.4s, v12.4s, v2.s[1]
.inst 0x4fb993a7
 fmul v7.4s, v29.4s, v25.s[1]
.inst 0x4f9890a6
 fmul v6.4s, v5.4s, v24.s[0]
.inst 0x4fa299e0
 fmul v0.4s, v15.4s, v2.s[3]
.inst 0x4f9393b1
 fmul v17.4s, v29.4s, v19.s[0]
.inst 0x4faa9914
 fmul v20.4s, v8.4s, v10.s[3]
.inst 0x4fba9959
 fmul v25.4s, v10.4s, v26.s[3]
.inst 0x4fac9bf1
 fmul v17.4s, v31.4s, v12.s[3]
.inst 0x4f899a11
 fmul v17.4s, v16.4s, v9.s[2]
.inst 0x4fa592f5
 fmul v21.4s, v23.4s, v5.s[1]
.inst 0x4fb09210
 fmul v16.4s, v16.4s, v16.s[1]
.inst 0x4f989a3d
 fmul v29.4s, v17.4s, v24.s[2]
.inst 0x4f899110
 fmul v16.4s, v8.4s, v9.s[0]
.inst 0x4fac908c
 fmul v12.4s, v4.4s, v12.s[1]
.inst 0x4faf991d
 fmul v29.4s, v8.4s, v15.s[3]
.inst 0x4fac98a4
 fmul v4.4s, v5.4s, v12.s[3]
.inst 0x4fa31039
 fmla v25.4s, v1.4s, v3.s[1]
.inst 0x4fba1908
 fmla v8.4s, v8.4s, v26.s[3]
.inst 0x4f8f1308
 fmla v8.4s, v24.4s, v15.s[0]
.inst 0x4f8c1b36
 fmla v22.4s, v25.4s, v12.s[2]
.inst 0x4fae1269
 fmla v9.4s, v19.4s, v14.s[1]
.inst 0x4f9f1a45
 fmla v5.4s, v18.4s, v31.s[2]
.inst 0x4f8d1ba1
 fmla v1.4s, v29.4s, v13.s[2]
.inst 0x4f861afc
 fmla v28.4s, v23.4s, v6.s[2]
.inst 0x4f831874
 fmla v20.4s, v3.4s, v3.s[2]
.inst 0x4fa810c7
 fmla v7.4s, v6.4s, v8.s[1]
.inst 0x4faf19b9
 fmla v25.4s, v13.4s, v15.s[3]
.inst 0x4f8d1308
 fmla v8.4s, v24.4s, v13.s[0]
.inst 0x4f8018ec
 fmla v12.4s, v7.4s, v0.s[2]
.inst 0x4fbe19d1
 fmla v17.4s, v14.4s, v30.s[3]
.inst 0x4f8a11da
 fmla v26.4s, v14.4s, v10.s[0]
.inst 0x4f9a1b31
 fmla v17.4s, v25.4s, v26.s[2]
.inst 0x4fa6190b
 fmla v11.4s, v8.4s, v6.s[3]
.inst 0x4f9d105f
 fmla v31.4s, v2.4s, v29.s[0]
.inst 0x4fb912af
 fmla v15.4s, v21.4s, v25.s[1]
.inst 0x4f84105b
 fmla v27.4s, v2.4s, v4.s[0]
.inst 0x4fac196c
 fmla v12.4s, v11.4s, v12.s[3]
.inst 0x4fb7198e
 fmla v14.4s, v12.4s, v23.s[3]
.inst 0x4f841aa3
 fmla v3.4s, v21.4s, v4.s[2]
.inst 0x4fa21969
 fmla v9.4s, v11.4s, v2.s[3]
.inst 0x4f9e1844
 fmla v4.4s, v2.4s, v30.s[2]
.inst 0x4fa51b33
 fmla v19.4s, v25.4s, v5.s[3]
.inst 0x4fb11ade
 fmla v30.4s, v22.4s, v17.s[3]
.inst 0x4f9e103b
 fmla v27.4s, v1.4s, v30.s[0]
.inst 0x4f941931
 fmla v17.4s, v9.4s, v20.s[2]
.inst 0x4f971359
 fmla v25.4s, v26.4s, v23.s[0]
.inst 0x4f871040
 fmla v0.4s, v2.4s, v7.s[0]
.inst 0x4f9512b7
 fmla v23.4s, v21.4s, v21.s[0]
.inst 0x4f97109f
 fmla v31.4s, v4.4s, v23.s[0]
.inst 0x4f9c12a0
 fmla v0.4s, v21.4s, v28.s[0]
.inst 0x4fb412ed
 fmla v13.4s, v23.4s, v20.s[1]
.inst 0x4fa910d9
 fmla v25.4s, v6.4s, v9.s[1]
.inst 0x4f9a1af5
 fmla v21.4s, v23.4s, v26.s[2]
.inst 0x4f971844
 fmla v4.4s, v2.4s, v23.s[2]
.inst 0x4fb01332
 fmla v18.4s, v25.4s, v16.s[1]
.inst 0x4f841151
 fmla v17.4s, v10.4s, v4.s[0]
.inst 0x4fa55912
 fmls v18.4s, v8.4s, v5.s[3]
.inst 0x4f8f59a6
 fmls v6.4s, v13.4s, v15.s[2]
.inst 0x4f9e5873
 fmls v19.4s, v3.4s, v30.s[2]
.inst 0x4fa45295
 fmls v21.4s, v20.4s, v4.s[1]
.inst 0x4f88585c
 fmls v28.4s, v2.4s, v8.s[2]
.inst 0x4f825834
 fmls v20.4s, v1.4s, v2.s[2]
.inst 0x4faa585b
 fmls v27.4s, v2.4s, v10.s[3]
.inst 0x4fac51c7
 fmls v7.4s, v14.4s, v12.s[1]
.inst 0x4fa7523d
 fmls v29.4s, v17.4s, v7.s[1]
.inst 0x4fa352fd
 fmls v29.4s, v23.4s, v3.s[1]
.inst 0x4f9659c0
 fmls v0.4s, v14.4s, v22.s[2]
.inst 0x4f9f504a
 fmls v10.4s, v2.4s, v31.s[0]
.inst 0x4f82580e
 fmls v14.4s, v0.4s, v2.s[2]
.inst 0x4f8b504c
 fmls v12.4s, v2.4s, v11.s[0]
.inst 0x4fbc524f
 fmls v15.4s, v18.4s, v28.s[1]
.inst 0x4fb75a99
 fmls v25.4s, v20.4s, v23.s[3]
.inst 0x4f8c516c
 fmls v12.4s, v11.4s, v12.s[0]
.inst 0x4f9b5bd7
 fmls v23.4s, v30.4s, v27.s[2]
.inst 0x4f9f5026
 fmls v6.4s, v1.4s, v31.s[0]
.inst 0x4fb55aa4
 fmls v4.4s, v21.4s, v21.s[3]
.inst 0x4fac5bfe
 fmls v30.4s, v31.4s, v12.s[3]
.inst 0x4fbe5951
 fmls v17.4s, v10.4s, v30.s[3]
.inst 0x4f995a10
 fmls v16.4s, v16.4s, v25.s[2]
.inst 0x4f80585d
 fmls v29.4s, v2.4s, v0.s[2]
.inst 0x4fb659dc
 fmls v28.4s, v14.4s, v22.s[3]
.inst 0x4fbe52a9
 fmls v9.4s, v21.4s, v30.s[1]
.inst 0x4fbb5867
 fmls v7.4s, v3.4s, v27.s[3]
.inst 0x4f805a03
 fmls v3.4s, v16.4s, v0.s[2]
.inst 0x4f985814
 fmls v20.4s, v0.4s, v24.s[2]
.inst 0x4f93586d
 fmls v13.4s, v3.4s, v19.s[2]
.inst 0x4f9550e4
 fmls v4.4s, v7.4s, v21.s[0]
.inst 0x4fb25355
 fmls v21.4s, v26.4s, v18.s[1]
.inst 0x4fa15177
 fmls v23.4s, v11.4s, v1.s[1]
.inst 0x4f925b1a
 fmls v26.4s, v24.4s, v18.s[2]
.inst 0x4fa4599a
 fmls v26.4s, v12.4s, v4.s[3]
.inst 0x4fa251ee
 fmls v14.4s, v15.4s, v2.s[1]
.inst 0x4fb9530d
 fmls v13.4s, v24.4s, v25.s[1]
.inst 0x4fb352e0
 fmls v0.4s, v23.4s, v19.s[1]
.inst 0x4f9c5bea
 fmls v10.4s, v31.4s, v28.s[2]
.inst 0x4fa152fb
 fmls v27.4s, v23.4s, v1.s[1]
.inst 0x4e218abf
 frintn v31.4s, v21.4s
.inst 0x4e218a87
 frintn v7.4s, v20.4s
.inst 0x4e218a51
 frintn v17.4s, v18.4s
.inst 0x4e218b60
 frintn v0.4s, v27.4s
.inst 0x4e218a65
 frintn v5.4s, v19.4s
.inst 0x4e218be7
 frintn v7.4s, v31.4s
.inst 0x4e2189d0
 frintn v16.4s, v14.4s
.inst 0x4e218b77
 frintn v23.4s, v27.4s
.inst 0x4e2189c3
 frintn v3.4s, v14.4s
.inst 0x4e2188ca
 frintn v10.4s, v6.4s
.inst 0x4e218912
 frintn v18.4s, v8.4s
.inst 0x4e218864
 frintn v4.4s, v3.4s
.inst 0x4e2189a0
 frintn v0.4s, v13.4s
.inst 0x4e21887b
 frintn v27.4s, v3.4s
.inst 0x4e218824
 frintn v4.4s, v1.4s
.inst 0x4e218860
 frintn v0.4s, v3.4s
.inst 0x4e218855
 frintn v21.4s, v2.4s
.inst 0x4e218aa1
 frintn v1.4s, v21.4s
.inst 0x4e21880d
 frintn v13.4s, v0.4s
.inst 0x4e218bcc
 frintn v12.4s, v30.4s
.inst 0x4e218a32
 frintn v18.4s, v17.4s
.inst 0x4e218a0e
 frintn v14.4s, v16.4s
.inst 0x4e21896d
 frintn v13.4s, v11.4s
.inst 0x4e218b23
 frintn v3.4s, v25.4s
.inst 0x4e2189fc
 frintn v28.4s, v15.4s
.inst 0x4e218855
 frintn v21.4s, v2.4s
.inst 0x4e218a9a
 frintn v26.4s, v20.4s
.inst 0x4e2188e1
 frintn v1.4s, v7.4s
.inst 0x4e218965
 frintn v5.4s, v11.4s
.inst 0x4e21896d
 frintn v13.4s, v11.4s
.inst 0x4e2189cb
 frintn v11.4s, v14.4s
.inst 0x4e218a66
 frintn v6.4s, v19.4s
.inst 0x4e218874
 frintn v20.4s, v3.4s
.inst 0x4e218924
 frintn v4.4s, v9.4s
.inst 0x4e218b89
 frintn v9.4s, v28.4s
.inst 0x4e2189c2
 frintn v2.4s, v14.4s
.inst 0x4e218a56
 frintn v22.4s, v18.4s
.inst 0x4e218865
 frintn v5.4s, v3.4s
.inst 0x4e218b8c
 frintn v12.4s, v28.4s
.inst 0x4e2189cb
 frintn v11.4s, v14.4s
.inst 0x4e21a8e3
 fcvtns v3.4s, v7.4s
.inst 0x4e21a983
 fcvtns v3.4s, v12.4s
.inst 0x4e21a8e5
 fcvtns v5.4s, v7.4s
.inst 0x4e21a9d2
 fcvtns v18.4s, v14.4s
.inst 0x4e21aa1b
 fcvtns v27.4s, v16.4s
.inst 0x4e21a9e2
 fcvtns v2.4s, v15.4s
.inst 0x4e21aa0c
 fcvtns v12.4s, v16.4s
.inst 0x4e21aa96
 fcvtns v22.4s, v20.4s
.inst 0x4e21aadd
 fcvtns v29.4s, v22.4s
.inst 0x4e21ab18
 fcvtns v24.4s, v24.4s
.inst 0x4e21a8bb
 fcvtns v27.4s, v5.4s
.inst 0x4e21a9ff
 fcvtns v31.4s, v15.4s
.inst 0x4e21aaab
 fcvtns v11.4s, v21.4s
.inst 0x4e21a8ef
 fcvtns v15.4s, v7.4s
.inst 0x4e21a89b
 fcvtns v27.4s, v4.4s
.inst 0x4e21aa33
 fcvtns v19.4s, v17.4s
.inst 0x4e21aab7
 fcvtns v23.4s, v21.4s
.inst 0x4e21ab5d
 fcvtns v29.4s, v26.4s
.inst 0x4e21aaf6
 fcvtns v22.4s, v23.4s
.inst 0x4e21aa99
 fcvtns v25.4s, v20.4s
.inst 0x4e21abc1
 fcvtns v1.4s, v30.4s
.inst 0x4e21aae8
 fcvtns v8.4s, v23.4s
.inst 0x4e21aa6a
 fcvtns v10.4s, v19.4s
.inst 0x4e21aa68
 fcvtns v8.4s, v19.4s
.inst 0x4e21a92a
 fcvtns v10.4s, v9.4s
.inst 0x4e21aba9
 fcvtns v9.4s, v29.4s
.inst 0x4e21a90a
 fcvtns v10.4s, v8.4s
.inst 0x4e21a8b0
 fcvtns v16.4s, v5.4s
.inst 0x4e21a9f6
 fcvtns v22.4s, v15.4s
.inst 0x4e21aa8a
 fcvtns v10.4s, v20.4s
.inst 0x4e21aa3e
 fcvtns v30.4s, v17.4s
.inst 0x4e21aa64
 fcvtns v4.4s, v19.4s
.inst 0x4e21ab69
 fcvtns v9.4s, v27.4s
.inst 0x4e21aadc
 fcvtns v28.4s, v22.4s
.inst 0x4e21a8c9
 fcvtns v9.4s, v6.4s
.inst 0x4e21aa84
 fcvtns v4.4s, v20.4s
.inst 0x4e21a97e
 fcvtns v30.4s, v11.4s
.inst 0x4e21a842
 fcvtns v2.4s, v2.4s
.inst 0x4e21a996
 fcvtns v22.4s, v12.4s
.inst 0x4e21aaf6
 fcvtns v22.4s, v23.4s
.inst 0x0e217af5
 fcvtl v21.4s, v23.4h
.inst 0x0e2178eb
 fcvtl v11.4s, v7.4h
.inst 0x0e217b02
 fcvtl v2.4s, v24.4h
.inst 0x0e217a2d
 fcvtl v13.4s, v17.4h
.inst 0x0e21786f
 fcvtl v15.4s, v3.4h
.inst 0x0e217a74
 fcvtl v20.4s, v19.4h
.inst 0x0e217b2f
 fcvtl v15.4s, v25.4h
.inst 0x0e217ae3
 fcvtl v3.4s, v23.4h
.inst 0x0e2179d2
 fcvtl v18.4s, v14.4h
.inst 0x0e21780c
 fcvtl v12.4s, v0.4h
.inst 0x0e2178c8
 fcvtl v8.4s, v6.4h
.inst 0x0e2179d7
 fcvtl v23.4s, v14.4h
.inst 0x0e217a29
 fcvtl v9.4s, v17.4h
.inst 0x0e21794e
 fcvtl v14.4s, v10.4h
.inst 0x0e217893
 fcvtl v19.4s, v4.4h
.inst 0x0e217b7c
 fcvtl v28.4s, v27.4h
.inst 0x0e217bcb
 fcvtl v11.4s, v30.4h
.inst 0x0e217acc
 fcvtl v12.4s, v22.4h
.inst 0x0e217b64
 fcvtl v4.4s, v27.4h
.inst 0x0e217a2d
 fcvtl v13.4s, v17.4h
.inst 0x0e2179c9
 fcvtl v9.4s, v14.4h
.inst 0x0e21790d
 fcvtl v13.4s, v8.4h
.inst 0x0e21782a
 fcvtl v10.4s, v1.4h
.inst 0x0e217bf7
 fcvtl v23.4s, v31.4h
.inst 0x0e217963
 fcvtl v3.4s, v11.4h
.inst 0x0e217ae5
 fcvtl v5.4s, v23.4h
.inst 0x0e2179ed
 fcvtl v13.4s, v15.4h
.inst 0x0e2178bc
 fcvtl v28.4s, v5.4h
.inst 0x0e217995
 fcvtl v21.4s, v12.4h
.inst 0x0e217941
 fcvtl v1.4s, v10.4h
.inst 0x0e2179b4
 fcvtl v20.4s, v13.4h
.inst 0x0e217bc2
 fcvtl v2.4s, v30.4h
.inst 0x0e217877
 fcvtl v23.4s, v3.4h
.inst 0x0e217bf6
 fcvtl v22.4s, v31.4h
.inst 0x0e21791f
 fcvtl v31.4s, v8.4h
.inst 0x0e217894
 fcvtl v20.4s, v4.4h
.inst 0x0e217a74
 fcvtl v20.4s, v19.4h
.inst 0x0e2178be
 fcvtl v30.4s, v5.4h
.inst 0x0e217aba
 fcvtl v26.4s, v21.4h
.inst 0x0e217890
 fcvtl v16.4s, v4.4h
.inst 0x4e217894
 fcvtl2 v20.4s, v4.8h
.inst 0x4e21782b
 fcvtl2 v11.4s, v1.8h
.inst 0x4e217a8e
 fcvtl2 v14.4s, v20.8h
.inst 0x4e217a90
 fcvtl2 v16.4s, v20.8h
.inst 0x4e217a13
 fcvtl2 v19.4s, v16.8h
.inst 0x4e217bfa
 fcvtl2 v26.4s, v31.8h
.inst 0x4e217812
 fcvtl2 v18.4s, v0.8h
.inst 0x4e217952
 fcvtl2 v18.4s, v10.8h
.inst 0x4e217867
 fcvtl2 v7.4s, v3.8h
.inst 0x4e217b7b
 fcvtl2 v27.4s, v27.8h
.inst 0x4e2179b1
 fcvtl2 v17.4s, v13.8h
.inst 0x4e217adf
 fcvtl2 v31.4s, v22.8h
.inst 0x4e217a50
 fcvtl2 v16.4s, v18.8h
.inst 0x4e217974
 fcvtl2 v20.4s, v11.8h
.inst 0x4e217936
 fcvtl2 v22.4s, v9.8h
.inst 0x4e2178d9
 fcvtl2 v25.4s, v6.8h
.inst 0x4e217acc
 fcvtl2 v12.4s, v22.8h
.inst 0x4e217b3c
 fcvtl2 v28.4s, v25.8h
.inst 0x4e21793e
 fcvtl2 v30.4s, v9.8h
.inst 0x4e2179e2
 fcvtl2 v2.4s, v15.8h
.inst 0x4e2179e5
 fcvtl2 v5.4s, v15.8h
.inst 0x4e217882
 fcvtl2 v2.4s, v4.8h
.inst 0x4e217bde
 fcvtl2 v30.4s, v30.8h
.inst 0x4e217a8a
 fcvtl2 v10.4s, v20.8h
.inst 0x4e217bf9
 fcvtl2 v25.4s, v31.8h
.inst 0x4e217818
 fcvtl2 v24.4s, v0.8h
.inst 0x4e217b8a
 fcvtl2 v10.4s, v28.8h
.inst 0x4e217ae3
 fcvtl2 v3.4s, v23.8h
.inst 0x4e217af6
 fcvtl2 v22.4s, v23.8h
.inst 0x4e217b8f
 fcvtl2 v15.4s, v28.8h
.inst 0x4e217a65
 fcvtl2 v5.4s, v19.8h
.inst 0x4e217b96
 fcvtl2 v22.4s, v28.8h
.inst 0x4e21798a
 fcvtl2 v10.4s, v12.8h
.inst 0x4e21791c
 fcvtl2 v28.4s, v8.8h
.inst 0x4e217857
 fcvtl2 v23.4s, v2.8h
.inst 0x4e217aab
 fcvtl2 v11.4s, v21.8h
.inst 0x4e217bfe
 fcvtl2 v30.4s, v31.8h
.inst 0x4e21780e
 fcvtl2 v14.4s, v0.8h
.inst 0x4e21787c
 fcvtl2 v28.4s, v3.8h
.inst 0x4e21794d
 fcvtl2 v13.4s, v10.8h
.inst 0x6e7947a7
 ushl v7.8h, v29.8h, v25.8h
.inst 0x6e744608
 ushl v8.8h, v16.8h, v20.8h
.inst 0x6e6a46a8
 ushl v8.8h, v21.8h, v10.8h
.inst 0x6e6b466e
 ushl v14.8h, v19.8h, v11.8h
.inst 0x6e7b47bd
 ushl v29.8h, v29.8h, v27.8h
.inst 0x6e734553
 ushl v19.8h, v10.8h, v19.8h
.inst 0x6e6d4649
 ushl v9.8h, v18.8h, v13.8h
.inst 0x6e6046a7
 ushl v7.8h, v21.8h, v0.8h
.inst 0x6e7b470b
 ushl v11.8h, v24.8h, v27.8h
.inst 0x6e7c479c
 ushl v28.8h, v28.8h, v28.8h
.inst 0x6e7745a3
 ushl v3.8h, v13.8h, v23.8h
.inst 0x6e6544c6
 ushl v6.8h, v6.8h, v5.8h
.inst 0x6e78451c
 ushl v28.8h, v8.8h, v24.8h
.inst 0x6e79457e
 ushl v30.8h, v11.8h, v25.8h
.inst 0x6e7c444c
 ushl v12.8h, v2.8h, v28.8h
.inst 0x6e7c47f8
 ushl v24.8h, v31.8h, v28.8h
.inst 0x6e7246cb
 ushl v11.8h, v22.8h, v18.8h
.inst 0x6e714561
 ushl v1.8h, v11.8h, v17.8h
.inst 0x6e63448e
 ushl v14.8h, v4.8h, v3.8h
.inst 0x6e7c469c
 ushl v28.8h, v20.8h, v28.8h
.inst 0x6e7544d8
 ushl v24.8h, v6.8h, v21.8h
.inst 0x6e6347b1
 ushl v17.8h, v29.8h, v3.8h
.inst 0x6e7a47b5
 ushl v21.8h, v29.8h, v26.8h
.inst 0x6e664559
 ushl v25.8h, v10.8h, v6.8h
.inst 0x6e7b47c9
 ushl v9.8h, v30.8h, v27.8h
.inst 0x6e744536
 ushl v22.8h, v9.8h, v20.8h
.inst 0x6e68458e
 ushl v14.8h, v12.8h, v8.8h
.inst 0x6e6d47a9
 ushl v9.8h, v29.8h, v13.8h
.inst 0x6e6644db
 ushl v27.8h, v6.8h, v6.8h
.inst 0x6e6347a9
 ushl v9.8h, v29.8h, v3.8h
.inst 0x6e774691
 ushl v17.8h, v20.8h, v23.8h
.inst 0x6e794418
 ushl v24.8h, v0.8h, v25.8h
.inst 0x6e7f4793
 ushl v19.8h, v28.8h, v31.8h
.inst 0x6e734714
 ushl v20.8h, v24.8h, v19.8h
.inst 0x6e724566
 ushl v6.8h, v11.8h, v18.8h
.inst 0x6e7f457c
 ushl v28.8h, v11.8h, v31.8h
.inst 0x6e6947a6
 ushl v6.8h, v29.8h, v9.8h
.inst 0x6e674694
 ushl v20.8h, v20.8h, v7.8h
.inst 0x6e7f46b4
 ushl v20.8h, v21.8h, v31.8h
.inst 0x6e7d469f
 ushl v31.8h, v20.8h, v29.8h
